import type { Clock } from '../ports.js'
import { exceptionRepr } from '../protocol/event.js'
import { repr } from '../protocol/repr.js'
import { traceback } from '../protocol/traceback.js'
import { NO_TASK_EVENTS, type TaskEvents } from '../request/taskEvents.js'
import { maskSecrets } from '../settings/mask.js'

/** Number of failures that are remembered. */
export const FAILURES = 20

/** Characters that are kept of an exception. */
const LONGEST_TEXT = 1000
/** Characters kept of a traceback, from its end, where the call that failed is; 40,000 for all failures remembered. */
const LONGEST_TRACEBACK = 2000

/** A task that failed for good. */
export interface Failure {
  /** Unix milliseconds. */
  readonly at: number
  readonly task: string
  readonly id: string
  /** Formatted as Python's `repr` of the exception. */
  readonly exception: string
  readonly key: string | null
  /** As in results, without the beginning if it is long. Empty for a task that isn't registered. */
  readonly traceback: string
}

/** The last tasks that failed, latest first. Listens to task events. */
export class Failures implements Iterable<Failure> {
  readonly events: TaskEvents = {
    ...NO_TASK_EVENTS,
    failed: ({ id, key, name }, error) => this.add(name, id, key, exceptionRepr(error), traceback(error)),
    unregistered: ({ id, task }) => this.add(task, id, null, `NotRegistered(${repr(task)})`, ''),
  }
  private readonly latest: Failure[] = []

  /** @param secrets texts that an exception may quote, but nobody may see */
  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly secrets: readonly string[],
  ) {}

  [Symbol.iterator](): Iterator<Failure> {
    return this.latest.values()
  }

  private add(task: string, id: string, key: string | null, text: string, stack: string): void {
    const exception = maskSecrets(text, this.secrets).slice(0, LONGEST_TEXT)
    const masked = maskSecrets(stack, this.secrets)
    const traceback = masked.length > LONGEST_TRACEBACK ? `…${masked.slice(1 - LONGEST_TRACEBACK)}` : masked
    this.latest.unshift({ at: this.clock.now(), task, id, exception, key, traceback })
    if (this.latest.length > FAILURES) this.latest.pop()
  }
}
