import { conflicts, type Held } from './places.js'
import type { Message } from './queue.js'

/** What the promise is judged by: the queue, its messages' runs, and nothing of the worker's own. */
export interface Evidence {
  readonly messages: readonly Message[]
  /** The last delivery of each that the worker has read. */
  readonly latest: ReadonlyMap<Message, Held>
  readonly running: readonly Held[]
  /** Whether it was revoked or is too late, so that it won't run any more. */
  isVoid(message: Message): boolean
  /** Notes a fault if there is one. */
  fault(is: boolean, text: string): void
}

/**
 * What order promises. Of two messages that stand in the queue and whose keys are the same, or one of which contains the other:
 * they never run at the same time; the second begins when the first won't come again, unless the second comes again behind it;
 * and the first doesn't run again once the second is done with.
 *
 * What has an ETA takes its place when it is due, which the queue doesn't know: `places.ts` has that.
 */
export function checkBegun({ link, message }: Held, evidence: Evidence): void {
  const { fault, latest, running } = evidence
  for (const { message: other } of running) {
    fault(conflicts(other.path, message.path), `${message.id} begins while ${other.id} runs`)
  }
  // The broker has taken it back: it comes again behind all that is before it, whatever this run does.
  if (!link.side.holds(message)) return
  for (const other of rivals(message, evidence)) {
    if (other.position > message.position) {
      fault(other.hasRun, `${message.id} runs again after the end of ${other.id}`)
      continue
    }
    const last = latest.get(other)
    // If its settlement is lost on its way, all that this one will write on the same connection is lost as well.
    const isOnItsWay = last?.link === link && last.delivery.settled
    fault(other.where !== 'done' && !isOnItsWay, `${message.id} overtakes ${other.id}, which is ${other.where}`)
  }
}

/** The same between any two frames: when the broker has read a settlement, a cut would bring nothing back that was before it. */
export function checkDone(message: Message, evidence: Evidence): void {
  for (const other of rivals(message, evidence)) {
    const isBefore = other.position < message.position && other.where !== 'done'
    evidence.fault(isBefore, `${message.id} is done with before ${other.id}: a cut would bring that back alone`)
  }
}

/** Those that have an order with this one. */
function rivals(message: Message, { isVoid, messages }: Evidence): Message[] {
  if (message.eta !== null || message.path === null) return []
  return messages.filter(
    (other) => other !== message && other.eta === null && conflicts(other.path, message.path) && !isVoid(other),
  )
}
