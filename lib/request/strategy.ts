import type { Registry } from '../app/registry.js'
import type { Task } from '../app/task.js'
import { type CanvasLimits, parseSignature, parseSignatures } from '../canvas/parse.js'
import { coerceError } from '../errors.js'
import type { Clock, Delivery, Logger } from '../ports.js'
import { BadMessage } from '../protocol/badMessage.js'
import type { ContentLimits } from '../protocol/content/content.js'
import { decode, oddHeaders } from '../protocol/decode.js'
import type { TaskMessage } from '../protocol/message.js'
import { repr } from '../protocol/repr.js'
import type { Poison } from './poison.js'
import { labelOf, Request } from './request.js'
import type { RefusalReason, WorkerState } from './state.js'
import type { TaskEvents } from './taskEvents.js'

const PROTOCOL_URL = 'https://docs.celeryq.dev/en/latest/internals/protocol.html'
/** Bytes of a bad message's body that its log line shows. */
const SHOWN_BODY = 1024

export interface StrategyOptions {
  readonly tasks: Registry
  readonly limits: ContentLimits
  readonly canvasLimits: CanvasLimits
  acksLate(task: Task): boolean
  readonly poison: Poison
  /** Tells clients that wait for the message that its task isn't registered here. */
  onUnregistered(message: TaskMessage, delivery: Delivery): Promise<void>
  /** Returns the order key of a message; null for none. May throw: it is the user's function. */
  keyOf(task: Task, message: TaskMessage): string | null
  /** True if a message whose key can't be determined runs without order instead of being rejected. */
  readonly unorderedOnKeyError: boolean
  readonly events: TaskEvents
  readonly state: WorkerState
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Makes a request of a delivery. A delivery that can't become one is settled here, logged and counted. Never throws.
 */
export class Strategy {
  constructor(private readonly options: StrategyOptions) {}

  receive(delivery: Delivery): Request | null {
    const { clock, limits, log, state, tasks } = this.options
    state.received++
    let message: TaskMessage
    try {
      message = decode(delivery.properties, delivery.content, limits)
      checkEmbed(message, this.options.canvasLimits)
    } catch (thrown) {
      this.refuseBad(delivery, thrown)
      return null
    }
    if (log.isEnabled('DEBUG')) this.tellOdd(message)
    const task = tasks.get(message.task)
    if (!task) {
      log.error(`Received unregistered task of type ${repr(message.task)}.`, { details: unregistered(delivery) })
      state.refuse('unregistered')
      void this.options
        .onUnregistered(message, delivery)
        .catch((thrown) =>
          log.error(
            `The failure of the unregistered task ${message.task} could not be stored: ${coerceError(thrown).message}`,
          ),
        )
        .finally(() => {
          delivery.reject()
          this.options.events.unregistered(message)
          this.options.events.refused?.(delivery, new Error(`${repr(message.task)} is not registered`), message)
        })
      return null
    }
    if (this.isPoison(delivery, message)) return null
    let key: string | null
    try {
      key = this.options.keyOf(task, message)
    } catch (thrown) {
      const fault = `could not determine the order key: ${repr(coerceError(thrown))}`
      if (!this.options.unorderedOnKeyError) {
        log.error(`Task ${labelOf(message)} was rejected: ${fault}`)
        this.refuse(delivery, 'order-key', coerceError(thrown))
        return null
      }
      log.warning(`Task ${labelOf(message)} runs without order: ${fault}`)
      state.unordered++
      key = null
    }
    if (log.isEnabled('INFO')) log.info(`Task ${labelOf(message)} received`)
    const late = key !== null || this.options.acksLate(task)
    return new Request(message, task, delivery, key, late, clock.monotonic())
  }

  private isPoison(delivery: Delivery, message: TaskMessage): boolean {
    const fault = this.options.poison.onArrival(delivery, message)
    if (fault === null) return false
    this.options.log.error(`Task ${labelOf(message)} was rejected: ${fault}`)
    this.refuse(delivery, 'deliveries', new Error(fault))
    return true
  }

  private tellOdd(message: TaskMessage): void {
    const odd = oddHeaders(message.headers)
    if (odd.length === 0) return
    this.options.log.debug(
      `Task ${labelOf(message)} has headers of an unexpected type, which count as absent: ${odd.join(', ')}`,
    )
  }

  private refuseBad(delivery: Delivery, thrown: unknown): void {
    const bad =
      thrown instanceof BadMessage ? thrown : new BadMessage('invalid-body', coerceError(thrown).message, thrown)
    const { log } = this.options
    switch (bad.reason) {
      case 'undecodable':
        log.critical(`Can't decode message body: ${bad.message}`, { reason: bad.reason, details: described(delivery) })
        break
      case 'unknown-message':
        log.warning('Received and deleted unknown message.  Wrong destination?!?', {
          reason: bad.reason,
          details: described(delivery),
        })
        break
      default:
        log.error(`Received invalid task message: ${bad.message}`, {
          reason: bad.reason,
          details:
            '\nThe message has been ignored and discarded.\n\n' +
            `Please ensure your message conforms to the task\nmessage protocol as described here:\n${PROTOCOL_URL}${described(delivery)}`,
        })
    }
    this.refuse(delivery, bad.reason, bad.reason === 'unknown-message' ? null : bad, bad.acknowledged)
  }

  private refuse(delivery: Delivery, reason: RefusalReason, error: Error | null, acknowledge = false): void {
    this.options.state.refuse(reason)
    if (acknowledge) delivery.ack()
    else delivery.reject()
    this.options.events.refused?.(delivery, error, null)
  }
}

function described({ content, properties, exchange, routingKey, redelivered }: Delivery): string {
  const shown = content.subarray(0, SHOWN_BODY).toString('utf8')
  const type = `[type:${repr(properties.contentType ?? null)} encoding:${repr(properties.contentEncoding ?? null)} headers:${repr(properties.headers ?? {})}]`
  const from = repr({ redelivered, exchange, routing_key: routingKey })
  return `\n\n${type}\n\nThe full contents of the message body was:\n${repr(shown)} (${content.length}b)\n\nThe delivery info is:\n${from}`
}

function unregistered(delivery: Delivery): string {
  return (
    '\nThe message has been ignored and discarded.\n\n' +
    'Did you remember to register this task with app.task() in the module given to -A?\n' +
    `${described(delivery)}`
  )
}

/**
 * Checks what is to follow a message before its task runs: it is better to report here what can't be sent later.
 * @throws BadMessage that names the field
 */
function checkEmbed({ embed: { callbacks, errbacks, chain, chord } }: TaskMessage, limits: CanvasLimits): void {
  try {
    if (callbacks !== null) parseSignatures(callbacks, 'callbacks', limits)
    if (errbacks !== null) parseSignatures(errbacks, 'errbacks', limits)
    if (chain !== null) parseSignatures(chain, 'chain', limits)
    if (chord !== null) parseSignature(chord, 'chord', limits)
  } catch (thrown) {
    throw new BadMessage('invalid-body', coerceError(thrown).message, thrown)
  }
}
