import type { Line } from '../../../lib/line/line.js'
import type { Delivery } from '../../../lib/ports.js'
import type { Verb } from './brokerSide.js'
import { type Compared, checkAll, checkEmpty, checkStart } from './checks.js'
import type { Link } from './link.js'
import { CONFIG } from './parts.js'
import { type Ending, type Held, Places } from './places.js'
import { checkBegun, checkDone, type Evidence } from './promise.js'
import { isLate, type Message } from './queue.js'

export interface WatchOptions {
  readonly messages: readonly Message[]
  readonly line: Line
  /** Whether what order promises is all that is looked at, and not how the worker gets there. */
  readonly promiseAlone: boolean
  now(): number
  /** The present connection. */
  link(): Link
}

/** Hears of each delivery what becomes of it, and notes what is not as it ought to be. */
export class Watch {
  readonly places: Places
  /** The worker stops: what hasn't run goes back. */
  stopping = false
  private readonly faults: string[] = []
  /** By the numbers of the deliveries, which the handlers see as a header. */
  private readonly numbered = new Map<number, Held>()
  private readonly byDelivery = new Map<unknown, Held>()
  private readonly latest = new Map<Message, Held>()

  constructor(private readonly options: WatchOptions) {
    this.places = new Places(options.now)
  }

  get running(): readonly Held[] {
    return this.places.held.filter(({ run }) => run !== null)
  }

  /** The worker has read a delivery. */
  received(n: number, message: Message, delivery: Delivery): void {
    const held: Held = {
      message,
      delivery,
      link: this.options.link(),
      run: null,
      begun: false,
      ended: false,
      storing: false,
      written: false,
      retryAt: 0,
      fails: false,
      blocks: false,
      mayGoBack: false,
      wentBack: false,
    }
    this.numbered.set(n, held)
    this.byDelivery.set(delivery, held)
    this.latest.set(message, held)
    this.places.placeDue()
    this.places.add(held)
  }

  /** A run begins. @param end ends it */
  begun(n: number, end: (ending: Ending) => void): void {
    const held = this.heldOf(n)
    this.places.placeDue()
    checkBegun(held, this.evidence)
    if (!this.options.promiseAlone) checkStart(held, this.byDelivery, this.compared)
    held.begun = true
    held.run = end
  }

  /** The worker has written a settlement. */
  written(n: number, verb: Verb): void {
    const held = this.heldOf(n)
    const { begun, fails, mayGoBack, message } = held
    held.written = true
    held.blocks = fails
    held.wentBack = verb === 'giveBack'
    if (held.wentBack) this.fault(!this.stopping && !mayGoBack, `${message.id} was given back without a reason`)
    else if (isLate(message) && !begun) {
      this.fault(!this.places.isOver(held), `${message.id} was settled although it never ran`)
    }
  }

  /** The broker has read that a message is done with. */
  done(message: Message): void {
    if (!this.latest.get(message)?.begun) return
    message.hasRun = true
    checkDone(message, this.evidence)
  }

  /** Between two steps. @throws Error that names what is not as it ought to be */
  check(): void {
    if (!this.options.promiseAlone) checkAll(this.compared)
    this.throwFaults()
  }

  /** At the end. @throws Error if anything is left of what was held, or was lost */
  checkEnd(timers: number, isDrained: boolean): void {
    if (!this.options.promiseAlone) checkEmpty(this.compared, timers)
    for (const { id, where } of this.options.messages) {
      this.fault(where === 'out', `${id} was kept`)
      this.fault(where === 'ready' && isDrained, `${id} is left`)
    }
    this.throwFaults()
  }

  fault(is: boolean, text: string): void {
    if (is) this.faults.push(text)
  }

  private heldOf(n: number): Held {
    const held = this.numbered.get(n)
    if (!held) throw new Error(`delivery ${n} was never received`)
    return held
  }

  private get evidence(): Evidence {
    return {
      messages: this.options.messages,
      latest: this.latest,
      running: this.running,
      isVoid: (message) => this.places.isVoid(message),
      fault: (is, text) => this.fault(is, text),
    }
  }

  private get compared(): Compared {
    return {
      line: this.options.line,
      places: this.places,
      depthLimit: CONFIG.worker_order_depth_limit,
      now: this.options.now,
      fault: (is, text) => this.fault(is, text),
    }
  }

  private throwFaults(): void {
    if (this.faults.length > 0) throw new Error([...new Set(this.faults)].join('\n'))
  }
}
