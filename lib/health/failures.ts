import { NO_TASK_EVENTS, type TaskEvents } from '../events/taskEvents.js'
import type { Clock } from '../ports.js'
import { exceptionRepr } from '../protocol/event.js'
import { repr } from '../protocol/repr.js'
import { maskSecrets } from '../settings/mask.js'

/** Failures that are remembered. */
export const FAILURES = 20

/** Characters that are kept of an exception. */
const LONGEST_TEXT = 1000

/** A task that failed for good. */
export interface Failure {
  /** Unix milliseconds. */
  readonly at: number
  readonly task: string
  readonly id: string
  /** As Python's `repr` of the exception has it. */
  readonly exception: string
  readonly key: string | null
}

/** The last tasks that failed, latest first. It learns of them as monitors do. */
export class Failures implements Iterable<Failure> {
  readonly events: TaskEvents = {
    ...NO_TASK_EVENTS,
    failed: ({ id, key, name }, error) => this.add(name, id, key, exceptionRepr(error)),
    unregistered: ({ id, task }) => this.add(task, id, null, `NotRegistered(${repr(task)})`),
  }
  private readonly latest: Failure[] = []

  /** @param secrets texts that an exception may quote, but nobody is to see */
  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly secrets: readonly string[],
  ) {}

  [Symbol.iterator](): Iterator<Failure> {
    return this.latest.values()
  }

  private add(task: string, id: string, key: string | null, text: string): void {
    const exception = maskSecrets(text, this.secrets).slice(0, LONGEST_TEXT)
    this.latest.unshift({ at: this.clock.now(), task, id, exception, key })
    if (this.latest.length > FAILURES) this.latest.pop()
  }
}
