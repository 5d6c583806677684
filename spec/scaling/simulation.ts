import TinyQueue from 'tinyqueue'
import { EarlyTicks } from '../../lib/scaling/earlyTicks.js'
import type { Sample } from '../../lib/scaling/sample.js'
import type { Policy } from './policies.js'
import { type Arrival, type Resize, type Scenario, type Score, scoreOf } from './scenario.js'

interface Message extends Arrival {
  startedAt: number
}

/** A worker's side of one queue: it may hold as many messages unsettled as its consumers have credit for. */
interface Subscription {
  readonly worker: Worker
  consumers: number
  unsettled: number
  busy: number
}

interface Queue {
  readonly messages: Message[]
  head: number
  subscriptions: Subscription[]
  /** Whose turn it is, counted in consumers: the broker deals out evenly over those with credit. */
  turn: number
}

interface Worker {
  readonly policy: Policy
  readonly subscriptions: Map<string, Subscription>
  readonly reserved: Message[]
  slots: number
  busy: number
  received: number
  completed: number
  serviceMsTotal: number
  /** The starts of the runs that are under way, added up. */
  startsMs: number
  readonly early: EarlyTicks
  tickedAt: number
  nextTick: number
  heldBack: boolean
  /** One thread runs what needs the processor, one run after the other: until when it is taken, and for how long it was since the last tick. */
  loopFreeAt: number
  loopBusyMs: number
  readonly history: Resize[]
  /** What its slots have cost until `countedAt`. One that is closed while something runs in it counts until that has ended. */
  slotMs: number
  countedAt: number
}

interface Event {
  readonly at: number
  readonly order: number
  run(): void
}

/** Plays a scenario in virtual time: queues, workers with slots and consumers, and a policy that resizes them. */
export function simulate(scenario: Scenario): Score {
  const simulation = new Simulation(scenario)
  simulation.run()
  return simulation.score()
}

class Simulation {
  private readonly events = new TinyQueue<Event>([], (a, b) => a.at - b.at || a.order - b.order)
  private readonly queues = new Map<string, Queue>()
  private readonly workers: Worker[] = []
  private readonly waits: number[] = []
  private order = 0
  private now = 0
  private doneAt = 0
  private left: number

  constructor(private readonly scenario: Scenario) {
    this.left = scenario.arrivals.length
    for (const name of scenario.queues) this.queues.set(name, { messages: [], head: 0, subscriptions: [], turn: 0 })
    for (const { policy, joinsAt = 0 } of scenario.workers) this.at(joinsAt, () => this.join(policy))
    for (const arrival of scenario.arrivals) this.at(arrival.at, () => this.arrive(arrival))
  }

  run(): void {
    for (let event = this.events.pop(); event; event = this.events.pop()) {
      if (event.at > this.scenario.untilMs && this.left === 0) break
      this.now = event.at
      event.run()
    }
  }

  score(): Score {
    const end = Math.max(this.scenario.untilMs, this.doneAt)
    const waits = this.waits.toSorted((a, b) => a - b)
    return {
      doneMs: this.doneAt,
      meanWaitMs: waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
      p95WaitMs: waits[Math.ceil(waits.length * 0.95) - 1] ?? 0,
      longestWaitMs: waits.at(-1) ?? 0,
      workers: this.workers.map((worker) => {
        count(worker, end)
        return scoreOf(worker.history, worker.slotMs, worker.completed)
      }),
    }
  }

  private at(at: number, run: () => void): void {
    this.events.push({ at, order: this.order++, run })
  }

  private join(policy: Policy): void {
    const worker: Worker = {
      policy,
      subscriptions: new Map(),
      reserved: [],
      slots: policy.initialSlots,
      busy: 0,
      received: 0,
      completed: 0,
      serviceMsTotal: 0,
      startsMs: 0,
      early: new EarlyTicks(),
      tickedAt: this.now,
      nextTick: 0,
      heldBack: false,
      loopFreeAt: 0,
      loopBusyMs: 0,
      history: [{ at: this.now, slots: policy.initialSlots }],
      slotMs: 0,
      countedAt: this.now,
    }
    this.workers.push(worker)
    for (const [name, queue] of this.queues) {
      const subscription = { worker, consumers: 1, unsettled: 0, busy: 0 }
      queue.subscriptions.push(subscription)
      worker.subscriptions.set(name, subscription)
    }
    this.tick(worker)
  }

  private arrive(arrival: Arrival): void {
    const queue = this.queue(arrival.queue)
    queue.messages.push({ ...arrival, startedAt: 0 })
    this.deliver(queue)
  }

  private deliver(queue: Queue): void {
    for (
      let to = this.nextWithCredit(queue);
      to && queue.head < queue.messages.length;
      to = this.nextWithCredit(queue)
    ) {
      const message = queue.messages[queue.head++]
      if (!message) break
      to.unsettled++
      to.worker.received++
      to.worker.reserved.push(message)
      this.startNext(to.worker)
      if (to.worker.policy.ticksOnMessage) this.tick(to.worker)
    }
    for (const { worker } of queue.subscriptions) this.tickEarly(worker)
  }

  /** Round robin over consumers, not over workers: one with twice as many gets twice as much. */
  private nextWithCredit(queue: Queue): Subscription | null {
    let consumers = 0
    let free = 0
    for (const each of queue.subscriptions) {
      consumers += each.consumers
      if (this.credit(each) > 0) free++
    }
    for (let tries = 0; free > 0 && tries < consumers; tries++) {
      let place = queue.turn++ % consumers
      for (const each of queue.subscriptions) {
        if (place < each.consumers) {
          // A worker's consumers are alike; each of them that is out of credit is passed over in its turn.
          if (place < this.credit(each) / each.worker.policy.prefetch) return each
          break
        }
        place -= each.consumers
      }
    }
    return free > 0 ? (queue.subscriptions.find((each) => this.credit(each) > 0) ?? null) : null
  }

  private credit({ consumers, unsettled, worker }: Subscription): number {
    return consumers * worker.policy.prefetch - unsettled
  }

  private startNext(worker: Worker): void {
    while (worker.busy < worker.slots) {
      const message = worker.reserved.shift()
      if (!message) return
      count(worker, this.now)
      message.startedAt = this.now
      worker.busy++
      this.subscription(worker, message).busy++
      worker.startsMs += this.now
      const { cpuMs = 0, serviceMs } = message
      this.at(this.now + serviceMs - cpuMs, () => {
        if (cpuMs === 0) this.complete(worker, message)
        else this.compute(worker, message, cpuMs)
      })
    }
  }

  private compute(worker: Worker, message: Message, cpuMs: number): void {
    worker.loopFreeAt = Math.max(worker.loopFreeAt, this.now) + cpuMs
    worker.loopBusyMs += cpuMs
    this.at(worker.loopFreeAt, () => this.complete(worker, message))
  }

  private complete(worker: Worker, message: Message): void {
    count(worker, this.now)
    worker.busy--
    worker.startsMs -= message.startedAt
    worker.completed++
    worker.serviceMsTotal += this.now - message.startedAt
    this.waits.push(this.now - message.at - message.serviceMs)
    this.doneAt = this.now
    this.left--
    const subscription = this.subscription(worker, message)
    subscription.unsettled--
    subscription.busy--
    this.startNext(worker)
    this.deliver(this.queue(message.queue))
  }

  /** A tick before its time, when all slots are busy and something waits. */
  private tickEarly(worker: Worker): void {
    const { policy } = worker
    if (policy.earlyTickMs === null || worker.heldBack || worker.busy < worker.slots || worker.slots >= policy.maxSlots)
      return
    const waits =
      worker.reserved.length > 0 || [...this.queues.values()].some((each) => each.head < each.messages.length)
    if (waits) this.schedule(worker, Math.max(this.now, worker.tickedAt + worker.early.distanceMs), true)
  }

  private schedule(worker: Worker, at: number, early = false): void {
    if (worker.nextTick > this.now && worker.nextTick <= at) return
    worker.nextTick = at
    this.at(at, () => {
      if (worker.nextTick === at) this.tick(worker, early)
    })
  }

  private tick(worker: Worker, early = false): void {
    const { policy } = worker
    const sample = this.sample(worker)
    worker.tickedAt = this.now
    worker.loopBusyMs = Math.max(0, worker.loopFreeAt - this.now)
    const { slots, split, heldBack = false } = policy.decide(sample)
    worker.heldBack = heldBack
    if (early) worker.early.came(slots > worker.slots)
    else worker.early.rested()
    count(worker, this.now)
    if (slots !== worker.slots) worker.history.push({ at: this.now, slots })
    worker.slots = slots
    for (const [name, consumers] of split) {
      const subscription = worker.subscriptions.get(name)
      if (subscription) subscription.consumers = consumers
    }
    // Replaces whatever was planned.
    worker.nextTick = 0
    this.schedule(worker, this.now + policy.intervalMs)
    this.startNext(worker)
    if (!policy.ticksOnMessage) for (const queue of this.queues.values()) this.deliver(queue)
  }

  private sample(worker: Worker): Sample {
    const queues = new Map(
      [...this.queues].map(([name, queue]) => [
        name,
        {
          ready: queue.messages.length - queue.head,
          consumers: queue.subscriptions.reduce((sum, each) => sum + each.consumers, 0),
          ownConsumers: worker.subscriptions.get(name)?.consumers ?? 0,
          busy: worker.subscriptions.get(name)?.busy ?? 0,
        },
      ]),
    )
    const { slots, busy, received, completed, serviceMsTotal, startsMs } = worker
    const counts = {
      slots,
      busy,
      reserved: worker.reserved.length,
      parked: 0,
      received,
      completed,
      serviceMsTotal,
      runningMs: busy * this.now - startsMs,
    }
    // What was begun and isn't done belongs to the time after now.
    const loopMs = worker.loopBusyMs - Math.max(0, worker.loopFreeAt - this.now)
    const loopUtilisation = this.now > worker.tickedAt ? loopMs / (this.now - worker.tickedAt) : 0
    return { now: this.now, queues, ...counts, loopUtilisation, breakerOpen: false }
  }

  private subscription(worker: Worker, { queue }: Message): Subscription {
    const subscription = worker.subscriptions.get(queue)
    if (!subscription) throw new Error(`the worker has no queue ${queue}`)
    return subscription
  }

  private queue(name: string): Queue {
    const queue = this.queues.get(name)
    if (!queue) throw new Error(`the scenario has no queue ${name}`)
    return queue
  }
}

function count(worker: Worker, now: number): void {
  worker.slotMs += Math.max(worker.slots, worker.busy) * (now - worker.countedAt)
  worker.countedAt = now
}
