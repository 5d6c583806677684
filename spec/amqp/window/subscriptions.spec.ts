import { describe, expect, it } from '@jest/globals'
import { beforeSettling, planned, type Step, type Subscription } from '../../../lib/amqp/window/plan.js'
import { Subscriptions } from '../../../lib/amqp/window/subscriptions.js'

/** The consumers of one queue, at a broker that does at once what it is asked for. */
class Bench {
  readonly subscriptions: Subscriptions

  private tags = 0

  constructor({ prefetch = 1, fixed = null }: { prefetch?: number; fixed?: number | null } = {}) {
    this.subscriptions = new Subscriptions({ prefetch, fixed, nextTag: () => `${++this.tags}` })
  }

  readonly consumers: Subscription[] = []

  want(messages: number | null, alone = false): this {
    this.subscriptions.want(messages, alone)
    return this.converge()
  }

  converge(split = false): this {
    for (let step = this.next(split); step; step = this.next()) {
      if ('open' in step) this.open(step)
      else this.drop('cancel' in step ? step.cancel : step.exchange)
    }
    return this
  }

  /** Every consumer has as many messages as it may have. */
  fill(): this {
    for (const consumer of this.consumers) consumer.unsettled = consumer.size
    return this
  }

  /** A message of it is settled, and the window does what that calls for. */
  settle(consumer: Subscription): this {
    consumer.unsettled--
    const first = beforeSettling(this.subscriptions, consumer)
    if (first === 'cancel') this.drop(consumer)
    return first ? this.converge() : this
  }

  splitLarge(): this {
    return this.converge(true)
  }

  get sizes(): number[] {
    return this.consumers.map(({ size }) => size)
  }

  get total(): number {
    return this.sizes.reduce((sum, size) => sum + size, 0)
  }

  next(split = false): Step | null {
    return planned(new Map([['q', { window: this.subscriptions }]]), split)?.[1] ?? null
  }

  private open({ open: size }: { readonly open: number }): void {
    const consumer = this.subscriptions.add(size)
    consumer.state = 'open'
    this.consumers.push(consumer)
  }

  private drop(consumer: Subscription): void {
    this.subscriptions.remove(consumer)
    this.consumers.splice(this.consumers.indexOf(consumer), 1)
  }
}

/** How often each size occurs. */
function tally(sizes: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const size of sizes) counts[size] = (counts[size] ?? 0) + 1
  return counts
}

describe('the consumers of a window', () => {
  it.each([
    [16, { 1: 16 }],
    [64, { 1: 64 }],
    [100, { 4: 25 }],
    [1000, { 32: 31, 8: 1 }],
  ])('of %i messages usually are %o', (messages, sizes) => {
    expect(tally(new Bench().want(messages).sizes)).toEqual(sizes)
  })

  it('hold as many messages as are wanted, whatever was wanted before, once they are idle', () => {
    const bench = new Bench()
    for (const messages of [3, 70, 65, 64, 1000, 999, 100, 2, 300, 1]) expect(bench.want(messages).total).toBe(messages)
  })

  it('are one, without a limit', () => {
    expect(new Bench({ prefetch: 0 }).want(16, true).sizes).toEqual([0])
  })

  it('are one of constant size where the queue is fixed', () => {
    const bench = new Bench({ fixed: 50 })
    expect(bench.want(2).want(40, true).want(1).splitLarge().sizes).toEqual([50])
  })
})

describe('a window that grows by one', () => {
  it('opens all that is missing as one consumer', () => {
    expect(new Bench().want(2).want(100, true).sizes).toEqual([1, 1, 98])
  })

  it.each([
    ['begins', [100], { 4: 25 }],
    ['grows by less than it has', [60, 110], { 1: 60, 4: 12, 2: 1 }],
    ['grows by a few', [2, 9], { 1: 9 }],
  ])('opens the usual ones when it %s', (_, wanted, sizes) => {
    const bench = new Bench()
    for (const messages of wanted) bench.want(messages, true)
    expect(tally(bench.sizes)).toEqual(sizes)
  })

  it('exchanges the large one for the usual ones later, also if it is busy', () => {
    expect(tally(new Bench().want(2).want(100, true).fill().splitLarge().sizes)).toEqual({ 1: 2, 4: 24, 2: 1 })
    expect(tally(new Bench().want(2).want(40, true).fill().splitLarge().sizes)).toEqual({ 1: 40 })
  })

  it('never opens one with a prefetch that AMQP has no number for', () => {
    const most = 65_535
    expect(Math.max(...new Bench().want(2).want(200_000, true).sizes)).toBe(most)
    expect(new Bench().want(2).want(200_000, true).total).toBe(200_000)
    expect(new Bench().want(4_000_000).total).toBe(4_000_000)
    expect(Math.max(...new Bench({ prefetch: most }).want(200 * most).sizes)).toBe(most)
    expect(new Bench({ fixed: 100_000 }).want(1).want(100_000).sizes).toEqual([most])
  })

  it('has nothing to exchange once that is done', () => {
    const bench = new Bench().want(2).want(100, true).splitLarge()
    expect(bench.next(true)).toBeNull()
  })
})

describe('a window that shrinks while all is busy', () => {
  it('cancels a consumer just before it could take one message too many', () => {
    const bench = new Bench().want(3).fill()
    const [first, second, third] = bench.want(2).consumers
    expect(bench.total).toBe(3)
    if (first) bench.settle(first)
    expect(bench.consumers).toEqual([second, third])
    if (second) bench.settle(second)
    expect(bench.consumers).toEqual([second, third])
  })

  it('exchanges one that was opened for many', () => {
    const bench = new Bench().want(2).want(100, true).fill().want(90)
    for (const consumer of bench.consumers.filter(({ size }) => size === 1)) bench.settle(consumer)
    const large = bench.consumers.find(({ size }) => size === 98)
    if (large) bench.settle(large)
    expect(bench.total).toBe(90)
    expect(Math.max(...bench.sizes)).toBe(4)
  })

  it('is too large by less than half a block in the end', () => {
    for (let wanted = 65; wanted < 1000; wanted += 7) {
      const bench = new Bench().want(1000).fill().want(wanted)
      for (let round = 0; round < 2; round++) {
        for (const consumer of [...bench.consumers]) bench.settle(consumer)
        bench.fill()
      }
      const excess = bench.total - wanted
      expect(excess).toBeGreaterThanOrEqual(0)
      expect(excess).toBeLessThan(Math.max(...bench.sizes) / 2)
    }
  })
})

describe('a window of a queue that is consumed no more', () => {
  it('cancels what is busy, too, and opens nothing', () => {
    const bench = new Bench().want(2).fill()
    expect(bench.subscriptions.isOver).toBe(false)
    expect(bench.want(null).sizes).toEqual([])
    expect(bench.subscriptions.isOver).toBe(true)
  })
})
