import { bindArguments } from '../app/arguments.js'
import type { RequestInfo } from '../app/context.js'
import type { Registry } from '../app/registry.js'
import type { Task } from '../app/task.js'
import type { CallParts } from '../canvas/merge.js'
import { listSignature, type Signature } from '../canvas/signature.js'
import { CeleriacError, coerceError } from '../errors.js'
import type { Logger } from '../ports.js'
import { repr } from '../protocol/repr.js'
import { traceback } from '../protocol/traceback.js'

export interface ErrbacksOptions {
  readonly tasks: Registry
  readonly log: Logger
  /** Aborted when the process is about to end. */
  readonly working: AbortSignal
  send(sig: Signature, call: CallParts): Promise<void>
}

/** A task that has failed, or that counts as failed. */
export interface Failed {
  readonly id: string
  readonly rootId: string
  info(): RequestInfo
}

/**
 * Calls the error callbacks of a failure. A task of this worker that takes more than one argument is called in place,
 * with the request, the error and its traceback; all others are sent the id of the failed task. Mirrors Celery's
 * `_call_task_errbacks`.
 */
export class Errbacks {
  constructor(private readonly options: ErrbacksOptions) {}

  /** @throws an error that is worth a retry; any other is logged */
  async call(failed: Failed, errbacks: readonly Signature[], error: Error): Promise<void> {
    const sent: Signature[] = []
    for (const errback of errbacks) {
      const task = this.options.tasks.get(errback.task)
      if (task && errback.subtask_type === null && takesError(task)) await this.inPlace(task, errback, failed, error)
      else sent.push(errback)
    }
    if (sent.length === 0) return
    const { id, rootId } = failed
    try {
      const options = { parent_id: id, root_id: rootId }
      await this.options.send(listSignature('group', sent), { args: [id], options })
    } catch (thrown) {
      if (thrown instanceof CeleriacError && thrown.retriable) throw thrown
      this.options.log.error(`The error callbacks of task ${id} were not sent: ${coerceError(thrown).message}`)
    }
  }

  private async inPlace(
    task: Task,
    { args, immutable, kwargs }: Signature,
    failed: Failed,
    error: Error,
  ): Promise<void> {
    const { log, working } = this.options
    try {
      const given = immutable ? args : [failed.info(), error, traceback(error), ...args]
      const handler = task.handler as (...args: readonly unknown[]) => unknown
      await endOf(Promise.resolve(handler(...bindArguments(task, given, kwargs))), working)
    } catch (thrown) {
      const fault = coerceError(thrown)
      log.error(`The error callback ${task.name} of task ${failed.id} raised: ${repr(fault)}`, { error: fault })
    }
  }
}

/** As in Celery: more than one argument, and no `self`, which is for runs. */
function takesError(task: Task): boolean {
  const { bind, kwargs } = task.options
  const { declared } = task
  const count = declared?.names.length ?? task.most ?? task.handler.length
  return !bind && !kwargs && (count > 1 || (declared !== null && declared.rest !== null))
}

/** @throws the reason of the signal, once it is aborted */
function endOf(work: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
