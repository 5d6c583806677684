import { currentRun } from '../app/current.js'
import type { Registry } from '../app/registry.js'
import { applySignature } from '../canvas/apply.js'
import { headed } from '../canvas/headed.js'
import { countedStep } from '../canvas/leaves.js'
import type { CallParts } from '../canvas/merge.js'
import type { CanvasOutlet } from '../canvas/outlet.js'
import { canvasLimits, NO_LIMITS, parseSignatures } from '../canvas/parse.js'
import { isGroup, listSignature, type Signature } from '../canvas/signature.js'
import { SignatureError } from '../canvas/signatureError.js'
import { CeleriacError } from '../errors.js'
import type { Backend, Clock, Delivery, Logger } from '../ports.js'
import type { AmqpTable } from '../protocol/amqp.js'
import { type ExceptionDict, encodeException, RemoteError } from '../protocol/exception.js'
import type { TaskMessage } from '../protocol/message.js'
import { encodeRevoked } from '../protocol/result.js'
import { EncodeError } from '../protocol/resultText.js'
import type { Request } from '../request/request.js'
import type { Settings } from '../settings/table.js'
import { Chords } from './chords.js'
import { type Ended, endedOf, hasCanvas } from './ended.js'
import { Errbacks } from './errbacks.js'
import type { Outcome } from './outcome.js'
import { notRegistered, type Results } from './results.js'
import { requestInfo } from './trace.js'
import { failedWith } from './unrun.js'

export interface FollowUpsOptions {
  readonly outlet: CanvasOutlet
  readonly tasks: Registry
  readonly results: Results
  readonly backend: Pick<Backend, 'chords' | 'get' | 'groups' | 'subscribe'>
  readonly clock: Clock
  /** Node name. */
  readonly hostname: string
  readonly settings: Pick<
    Settings,
    | 'task_inherit_parent_priority'
    | 'worker_deduplicate_successful_tasks'
    | 'result_chord_join_timeout'
    | 'worker_max_canvas_items'
    | 'worker_max_canvas_nesting'
  >
  readonly log: Logger
  /** Aborted when the process is about to end. */
  readonly working: AbortSignal
}

/**
 * Sends what the end of a task leads to besides its own result: before that is stored, callbacks and the next step of
 * its chain; after it, its part in a chord and error callbacks. Mirrors Celery's `trace_task`, `mark_as_done`,
 * `mark_as_failure` and `mark_as_revoked`.
 */
export class FollowUps {
  private readonly chords: Chords
  private readonly errbacks: Errbacks

  constructor(private readonly options: FollowUpsOptions) {
    const send = (sig: Signature, call: CallParts, headers?: AmqpTable) => this.send(sig, call, headers)
    this.errbacks = new Errbacks({ ...options, send })
    const { settings } = options
    const terms = { joinTimeoutMs: settings.result_chord_join_timeout * 1000, limits: canvasLimits(settings) }
    this.chords = new Chords({ ...options, ...terms, send, errbacks: this.errbacks })
  }

  /** `worker_deduplicate_successful_tasks`. */
  get deduplicates(): boolean {
    return this.options.settings.worker_deduplicate_successful_tasks
  }

  /** Returns the end of a request in the form used here. */
  of(request: Request): Ended {
    return endedOf(request, this.options.hostname)
  }

  /**
   * Sends the callbacks of a success, and the next step of its chain. Resolves once the broker has them.
   * @throws EncodeError, SignatureError or the broker's error; some messages may have been sent by then
   */
  succeeded(ended: Ended, result: unknown): Promise<void> {
    const { callbacks, chain } = ended.message.embed
    const sigs = parseSignatures(callbacks, 'callbacks', NO_LIMITS)
    const steps = parseSignatures(chain, 'chain', NO_LIMITS)
    const call = { args: [result ?? null], options: this.inherited(ended) }
    return this.within(ended, async () => {
      const [only, ...more] = sigs
      if (only && more.length === 0) await this.send(only, call)
      else {
        for (const group of sigs.filter(isGroup)) await this.send(group, call)
        const others = sigs.filter((sig) => !isGroup(sig))
        if (others.length > 0) await this.send(listSignature('group', others), call)
      }
      const next = steps.pop()
      if (next) await this.send(countedStep(next), { ...call, options: { ...call.options, chain: steps } })
    })
  }

  /**
   * Repeats what follows a success that is known already: a worker may have been lost before it had sent everything.
   */
  async repeated(ended: Ended): Promise<void> {
    const meta = await this.options.backend.get(ended.message.id)
    if (meta?.status !== 'SUCCESS') return
    if (meta.children.length === 0) await this.succeeded(ended, meta.result)
    await this.within(ended, () => this.chords.part(ended, 'SUCCESS', meta.result))
  }

  /** Handles what follows once the result is stored. Failures are passed on even if results are ignored. */
  ended(ended: Ended, outcome: Outcome): Promise<void> {
    return this.within(ended, async () => {
      if (outcome.state === 'SUCCESS') await this.chords.part(ended, 'SUCCESS', outcome.result)
      else if (outcome.state === 'REVOKED') await this.revoked(ended, encodeRevoked(outcome.reason))
      else if (outcome.state === 'FAILURE') await this.failed(ended, outcome.error)
    })
  }

  /** Handles the stored failure of a message whose task this worker doesn't have. */
  unregistered(message: TaskMessage, delivery: Delivery): Promise<void> {
    if (!hasCanvas(message)) return Promise.resolve()
    const { args, kwargs, retries, task } = message
    const info = () => requestInfo({ message, delivery, args, kwargs, retries }, this.options.hostname)
    const ended = { message, children: [], isRepeated: delivery.redelivered, info }
    return this.within(ended, () => this.failed(ended, notRegistered(task)))
  }

  /** In Celery the rest of the chain, and a chord that it belongs to, wait forever. Error callbacks are not called. */
  private async revoked(ended: Ended, exception: ExceptionDict): Promise<void> {
    await this.chords.part(ended, 'REVOKED', exception)
    await this.failRest(ended, new RemoteError(exception))
  }

  private async failed(ended: Ended, error: Error): Promise<void> {
    const { embed, id, rootId } = ended.message
    await this.chords.part(ended, 'FAILURE', encodeException(error))
    await this.failRest(ended, error)
    await this.errbacks.call(
      { id, rootId, info: () => ended.info() },
      parseSignatures(embed.errbacks, 'errbacks', NO_LIMITS),
      error,
    )
  }

  /** Fails what was to follow in the chain. */
  private async failRest(ended: Ended, error: Error): Promise<void> {
    for (const sig of parseSignatures(ended.message.embed.chain, 'chain', NO_LIMITS)) {
      for (const unrun of failedWith(countedStep(sig))) {
        await this.options.results.failedUnrun(unrun, error)
        await this.chords.unrunPart(ended, unrun, error)
      }
    }
  }

  private inherited({ message }: Ended): Record<string, unknown> {
    const { id, properties, rootId } = message
    const priority = this.options.settings.task_inherit_parent_priority ? (properties.priority ?? null) : null
    return { parent_id: id, root_id: rootId, priority }
  }

  /** Runs `work` as part of the task, so that what it sends becomes the task's child. */
  private within<Result>({ children, message }: Ended, work: () => Promise<Result>): Promise<Result> {
    const { id, rootId } = message
    return currentRun.run({ id, rootId, worker: this.options.hostname, children }, work)
  }

  private async send(sig: Signature, call: CallParts, headers?: AmqpTable): Promise<void> {
    const { outlet } = this.options
    try {
      await applySignature(sig, call, headers === undefined ? outlet : headed(outlet, headers))
    } catch (thrown) {
      if (thrown instanceof CeleriacError || thrown instanceof SignatureError) throw thrown
      throw new EncodeError(thrown)
    }
  }
}

/** Returns null if nothing can be sent: then nothing follows. */
export function followUpsBy(
  outlet: CanvasOutlet | undefined,
  options: Omit<FollowUpsOptions, 'outlet'>,
): FollowUps | null {
  return outlet === undefined ? null : new FollowUps({ ...options, outlet })
}
