import TinyQueue from 'tinyqueue'
import { celeriac, type Policy } from '../scaling/policies.js'
import { queueOf, sampleOf } from '../scaling/sample.js'
import type { Arrival } from '../scaling/scenario.js'
import { seeded } from '../scaling/traces.js'
import { fleetLoad, type Scrape } from './fleetLoad.js'
import type { PodAutoscaler } from './podAutoscaler.js'

/** Prometheus' scrape and rule, and the pod autoscaler's round. */
const ROUND_MS = 15_000
/** From the decision for a pod to its first message. */
const START_MS = 20_000

export interface FleetOptions {
  /** `--autoscale=max,min` of each pod. */
  readonly bounds: { readonly max: number; readonly min: number }
  readonly arrivals: readonly Arrival[]
  readonly untilMs: number
  readonly autoscaler: PodAutoscaler
}

interface Pod {
  readonly policy: Policy
  readonly max: number
  slots: number
  busy: number
  received: number
  completed: number
  serviceMsTotal: number
  tickedAt: number
  nextTick: number
  /** Takes messages: it has started, and hasn't been told to stop. */
  consuming: boolean
  stopping: boolean
  /** What is known of it since it was last scraped. */
  scrape: Scrape | null
}

/** The state of the fleet at the end of a second. */
export interface Moment {
  readonly at: number
  /** That were asked for, and those of them that take messages by now. */
  readonly pods: number
  readonly started: number
  readonly slots: number
  readonly busy: number
  readonly ready: number
}

interface Event {
  readonly at: number
  readonly order: number
  run(): void
}

/** Plays a load in virtual time on pods that each size their slots by the real controller, and are added and removed by load. */
export class Fleet {
  readonly moments: Moment[] = []
  readonly waits: Array<{ readonly at: number; readonly ms: number }> = []
  private readonly events = new TinyQueue<Event>([], (a, b) => a.at - b.at || a.order - b.order)
  private readonly waiting: Arrival[] = []
  private readonly random = seeded(1)
  private pods: Pod[] = []
  private head = 0
  private order = 0
  private now = 0

  constructor(private readonly options: FleetOptions) {
    this.add(0)
    for (const arrival of options.arrivals) this.at(arrival.at, () => this.arrive(arrival))
    for (let at = ROUND_MS; at <= options.untilMs; at += ROUND_MS) this.at(at, () => this.round())
    for (let at = 1000; at <= options.untilMs; at += 1000) this.at(at, () => this.look())
  }

  run(): this {
    for (let event = this.events.pop(); event && event.at <= this.options.untilMs; event = this.events.pop()) {
      this.now = event.at
      event.run()
    }
    return this
  }

  private get ready(): number {
    return this.waiting.length - this.head
  }

  private get wanted(): Pod[] {
    return this.pods.filter(({ stopping }) => !stopping)
  }

  private at(at: number, run: () => void): void {
    this.events.push({ at, order: this.order++, run })
  }

  private add(startMs: number): void {
    const { bounds } = this.options
    const policy = celeriac(bounds)
    const counts = { busy: 0, received: 0, completed: 0, serviceMsTotal: 0, tickedAt: 0, nextTick: 0 }
    const state = { consuming: false, stopping: false, scrape: null }
    const pod: Pod = { policy, max: bounds.max, slots: policy.initialSlots, ...counts, ...state }
    this.pods.push(pod)
    this.at(this.now + startMs, () => {
      if (pod.stopping) return this.leave(pod)
      pod.consuming = true
      this.tick(pod)
    })
  }

  /** TERM: nothing new, and the end when what runs has ended. The youngest goes first. */
  private remove(pod: Pod): void {
    const hadStarted = pod.consuming
    pod.consuming = false
    pod.stopping = true
    if (hadStarted && pod.busy === 0) this.leave(pod)
  }

  private leave(pod: Pod): void {
    this.pods = this.pods.filter((each) => each !== pod)
  }

  /** Each pod was scraped some time in the last round; the rule and the pod autoscaler see what was there then. */
  private round(): void {
    const scrapes = this.pods.flatMap(({ scrape }) => (scrape ? [scrape] : []))
    const { length: pods } = this.wanted
    const wanted = this.options.autoscaler.decide(this.now, pods, fleetLoad(scrapes))
    for (let count = pods; count < wanted; count++) this.add(START_MS)
    for (const pod of this.wanted.slice(wanted)) this.remove(pod)
    for (const pod of this.pods) this.at(this.now + this.random() * ROUND_MS, () => this.scrape(pod))
  }

  private scrape(pod: Pod): void {
    if (!this.pods.includes(pod) || !(pod.consuming || pod.stopping)) return
    const { slots, max, busy } = pod
    const ready = { q: this.ready }
    pod.scrape = { slots, slotsMax: max, busy, reserved: 0, loopUtilisation: 0, breakerOpen: false, ready }
  }

  private look(): void {
    const sum = (of: (pod: Pod) => number): number => this.pods.reduce((total, pod) => total + of(pod), 0)
    const slots = sum(({ consuming, slots }) => (consuming ? slots : 0))
    const started = sum(({ consuming }) => (consuming ? 1 : 0))
    const busy = sum((pod) => pod.busy)
    this.moments.push({ at: this.now, pods: this.wanted.length, started, slots, busy, ready: this.ready })
  }

  private arrive(arrival: Arrival): void {
    this.waiting.push(arrival)
    this.deliver()
  }

  /** To a free consumer, of which each pod has as many as slots; any is as likely as another. */
  private deliver(): void {
    for (let pod = this.free(); pod && this.ready > 0; pod = this.free()) this.begin(pod, this.waiting[this.head++])
    if (this.ready === 0) return
    for (const pod of this.pods) {
      const early = pod.policy.earlyTickMs
      const full = pod.consuming && pod.busy >= pod.slots && pod.slots < pod.max
      if (full && early !== null) this.schedule(pod, Math.max(this.now, pod.tickedAt + early))
    }
  }

  private free(): Pod | null {
    const open = this.pods.filter(({ consuming }) => consuming)
    const freeOf = ({ slots, busy }: Pod): number => Math.max(0, slots - busy)
    let place = this.random() * open.reduce((sum, pod) => sum + freeOf(pod), 0)
    for (const pod of open) {
      place -= freeOf(pod)
      if (place < 0) return pod
    }
    return null
  }

  private begin(pod: Pod, message: Arrival | undefined): void {
    if (!message) return
    this.waits.push({ at: message.at, ms: this.now - message.at })
    pod.received++
    pod.busy++
    this.at(this.now + message.serviceMs, () => {
      pod.busy--
      pod.completed++
      pod.serviceMsTotal += message.serviceMs
      if (pod.stopping && pod.busy === 0) this.leave(pod)
      this.deliver()
    })
  }

  private schedule(pod: Pod, at: number): void {
    if (pod.nextTick > this.now && pod.nextTick <= at) return
    pod.nextTick = at
    this.at(at, () => {
      if (pod.nextTick === at && pod.consuming) this.tick(pod)
    })
  }

  private tick(pod: Pod): void {
    const { slots, busy, received, completed, serviceMsTotal } = pod
    const consumers = this.pods.reduce((sum, each) => sum + (each.consuming ? each.slots : 0), 0)
    const queues = new Map([['q', queueOf({ ready: this.ready, consumers, ownConsumers: slots, busy })]])
    const counts = { slots, busy, received, completed, serviceMsTotal }
    pod.tickedAt = this.now
    pod.slots = pod.policy.decide(sampleOf({ now: this.now, queues, ...counts })).slots
    pod.nextTick = 0
    this.schedule(pod, this.now + pod.policy.intervalMs)
    this.deliver()
  }
}
