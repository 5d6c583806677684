import { describe, expect, it } from '@jest/globals'
import type { Channel, ConsumeMessage } from 'amqplib'
import fc from 'fast-check'
import { Acks } from '../../../lib/amqp/acks.js'
import type { Epoch } from '../../../lib/amqp/epoch.js'
import { blockSize } from '../../../lib/amqp/window/block.js'
import { Window } from '../../../lib/amqp/window/window.js'
import type { Delivery } from '../../../lib/ports.js'
import { consumedQueue } from '../../support/consumedQueue.js'
import { MemoryLog } from '../../support/memoryLog.js'

const RUNS = 300
const QUEUES = ['usual', 'another', 'fixed']
const FIXED = 7

/** What a channel has brought, with the tags of the consumers of what is unsettled. */
interface Brought {
  tags: number
  readonly unsettled: Map<number, string>
}

interface BrokerConsumer {
  readonly queue: string
  readonly brought: Brought
  readonly size: number
  unsettled: number
  hear(message: ConsumeMessage): void
}

/** A window on a broker that answers when it is told to, each channel's questions in their order. */
class World {
  readonly window: Window
  /** What goes against the rules, in words. */
  readonly faults = new Set<string>()
  readonly deliveries: Delivery[] = []
  private readonly consumers = new Map<string, BrokerConsumer>()
  /** Sizes that the window has asked for, by tag, without those that it has cancelled. */
  private readonly asked = new Map<string, { queue: string; size: number }>()
  private readonly pending: Array<() => void> = []
  private capacity: ReadonlyMap<string, number> = new Map()
  /** The most that was wanted of each queue since there was nothing under way. */
  private bound = new Map<string, number>()
  private settling = false
  private stepUnderWay: string | null = null

  constructor(private readonly prefetch: number) {
    const acks = new Acks()
    const epoch = {
      acks,
      ended: new AbortController().signal,
      lastingChannel: async () => this.channel(),
      gather: () => setImmediate(() => acks.write()),
      end: (reason: unknown) => this.faults.add(`the connection ended: ${reason}`),
    }
    let sequence = 0
    this.window = new Window({
      epoch: epoch as unknown as Epoch,
      prefetch,
      kinds: new Map([['fixed', consumedQueue({ fixed: FIXED })]]),
      log: new MemoryLog(),
      nextSequence: () => ++sequence,
      onDelivery: (delivery) => this.deliveries.push(delivery),
      declare: async () => undefined,
    })
  }

  resize(capacity: ReadonlyMap<string, number>, alone: boolean): void {
    this.capacity = capacity
    for (const queue of QUEUES) this.bound.set(queue, Math.max(this.bound.get(queue) ?? 0, this.target(queue)))
    this.window.resize(capacity, alone)
  }

  /** The broker answers so many questions. */
  async answer(count: number): Promise<void> {
    for (let left = count; left > 0; left--) {
      await turn()
      this.pending.shift()?.()
    }
    await turn()
    if (this.pending.length === 0) this.bound = new Map(QUEUES.map((queue) => [queue, this.target(queue)]))
  }

  deliver(queue: string, count: number): void {
    let left = count
    for (const [consumerTag, consumer] of this.consumers) {
      if (consumer.queue !== queue) continue
      for (; left > 0 && consumer.unsettled < (consumer.size || 5); left--) {
        consumer.unsettled++
        const fields = { deliveryTag: ++consumer.brought.tags, consumerTag }
        consumer.brought.unsettled.set(fields.deliveryTag, consumerTag)
        consumer.hear({ fields, properties: {}, content: Buffer.of() } as unknown as ConsumeMessage)
      }
    }
  }

  settle(at: number): void {
    const [delivery] = this.deliveries.splice(at % Math.max(1, this.deliveries.length), 1)
    this.settling = true
    delivery?.ack()
    this.settling = false
  }

  /** Until nothing is under way, and nothing is unsettled. */
  async rest(): Promise<void> {
    for (let round = 0; round < 2000; round++) {
      while (this.deliveries.length > 0) this.settle(0)
      await turn()
      if (this.pending.length === 0) return
      await this.answer(1)
    }
    this.faults.add('there is no end to it')
  }

  /** Prefetches of the consumers that the broker has of a queue. */
  sizes(queue: string): number[] {
    return [...this.consumers.values()].filter((consumer) => consumer.queue === queue).map(({ size }) => size)
  }

  /** Messages that are wanted of a queue, in sizes of consumers. */
  target(queue: string): number {
    const wanted = this.capacity.get(queue) ?? 0
    if (this.prefetch === 0) return Math.min(1, wanted)
    return queue === 'fixed' && wanted > 0 ? FIXED : wanted
  }

  private channel(): Channel {
    let quality = 0
    let open = true
    const brought: Brought = { tags: 0, unsettled: new Map() }
    const channel = {
      on: () => channel,
      prefetch: (size: number) => {
        return this.step(`prefetch ${size}`, () => {
          quality = size
        })
      },
      consume: (queue: string, hear: BrokerConsumer['hear'], { consumerTag }: { consumerTag: string }) => {
        this.asked.set(consumerTag, { queue, size: quality })
        this.checkBound(queue)
        return this.step(`consume ${queue}`, () => {
          this.consumers.set(consumerTag, { queue, brought, size: quality, unsettled: 0, hear })
        })
      },
      cancel: (tag: string) => {
        this.asked.delete(tag)
        const cancelled = (): unknown => this.consumers.delete(tag)
        // What is cancelled before a message is settled may be under way beside anything.
        return this.settling ? this.ask(cancelled) : this.step(`cancel ${tag}`, cancelled)
      },
      ack: ({ fields: { deliveryTag } }: ConsumeMessage, allUpTo = false) => {
        if (!open) this.faults.add('an acknowledgement on a closed channel')
        for (const [tag, consumerTag] of brought.unsettled) {
          if (allUpTo ? tag > deliveryTag : tag !== deliveryTag) continue
          brought.unsettled.delete(tag)
          const consumer = this.consumers.get(consumerTag)
          if (consumer) consumer.unsettled--
        }
      },
      close: async () => {
        open = false
      },
    }
    return channel as unknown as Channel
  }

  private step(text: string, act: () => void): Promise<void> {
    if (this.stepUnderWay) this.faults.add(`${text} is begun beside ${this.stepUnderWay}`)
    this.stepUnderWay = text
    return this.ask(() => {
      this.stepUnderWay = null
      act()
    })
  }

  private ask(act: () => unknown): Promise<void> {
    return new Promise((resolve) =>
      this.pending.push(() => {
        act()
        resolve()
      }),
    )
  }

  private checkBound(queue: string): void {
    const sum = [...this.asked.values()]
      .filter((consumer) => consumer.queue === queue)
      .reduce((sum, { size }) => sum + Math.max(1, size), 0)
    const bound = this.bound.get(queue) ?? 0
    if (sum > bound) this.faults.add(`${sum} of ${queue} may be unsettled, and ${bound} are wanted`)
  }
}

const turn = async (): Promise<void> => {
  await new Promise(setImmediate)
  await new Promise(setImmediate)
}

/** One thing that happens, told by its text. */
class Act {
  constructor(
    readonly text: string,
    readonly run: (world: World) => void | Promise<void>,
  ) {}

  toString(): string {
    return this.text
  }
}

const wish = fc.option(fc.oneof({ weight: 3, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.nat(150) }))
const resize = fc.tuple(fc.array(wish, { minLength: 3, maxLength: 3 }), fc.boolean()).map(([wishes, alone]) => {
  const named = QUEUES.flatMap((queue, at) => (wishes[at] == null ? [] : [[queue, wishes[at]] as const]))
  return new Act(`resize ${named} ${alone}`, (world) => world.resize(new Map(named), alone))
})
const answer = fc
  .integer({ min: 1, max: 30 })
  .map((count) => new Act(`answer ${count}`, (world) => world.answer(count)))
const deliver = fc
  .tuple(fc.constantFrom(...QUEUES), fc.integer({ min: 1, max: 100 }))
  .map(([queue, count]) => new Act(`deliver ${count} of ${queue}`, (world) => world.deliver(queue, count)))
const settle = fc.nat(1000).map((at) => new Act(`settle ${at}`, (world) => world.settle(at)))
const splitLarge = fc.constant(new Act('split', ({ window }) => window.splitLarge()))
const acts = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: resize },
    { weight: 6, arbitrary: answer },
    { weight: 4, arbitrary: deliver },
    { weight: 8, arbitrary: settle },
    { weight: 1, arbitrary: splitLarge },
  ),
  { maxLength: 60, size: 'max' },
)

const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + Math.max(1, size), 0)

describe('a window, whatever is wanted of it, and however late the broker answers', () => {
  it('opens no more than is wanted, makes one step at a time, and comes to what was wanted last', async () => {
    const worlds = fc.asyncProperty(acts, fc.constantFrom(1, 1, 2, 4, 0), async (acts, prefetch) => {
      const world = new World(prefetch)
      for (const act of acts) await act.run(world)
      await world.rest()
      for (const queue of QUEUES) expect(sum(world.sizes(queue))).toBe(world.target(queue))
      expect([...world.faults]).toEqual([])
      world.resize(new Map(), false)
      await world.rest()
      for (const queue of QUEUES) expect(world.sizes(queue)).toEqual([])
    })
    await fc.assert(worlds, { numRuns: RUNS, interruptAfterTimeLimit: 280_000, markInterruptAsFailure: true })
  })

  it('has consumers of the usual size once there was time', async () => {
    const world = new World(1)
    for (const messages of [2, 100, 900]) {
      world.resize(new Map([['usual', messages]]), true)
      await world.rest()
    }
    expect(Math.max(...world.sizes('usual'))).toBe(800)
    for (let round = 0; round < 5; round++) {
      world.window.splitLarge()
      await world.rest()
    }
    expect(Math.max(...world.sizes('usual'))).toBe(blockSize(900, 1))
    expect([sum(world.sizes('usual')), [...world.faults]]).toEqual([900, []])
  })
})
