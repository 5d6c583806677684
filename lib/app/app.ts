import { randomUUID } from 'node:crypto'
import { type CanvasLimits, parseSignature } from '../canvas/parse.js'
import { taskSignature } from '../canvas/signature.js'
import type { Kwargs } from '../protocol/message.js'
import { taskTuple } from '../protocol/result.js'
import type { Conf } from '../settings/conf.js'
import type { AsyncResult } from './asyncResult.js'
import { chordUnlock } from './builtIns/chordUnlock.js'
import { map, starmap } from './builtIns/overMany.js'
import { workflowTasks } from './builtIns/workflowTasks.js'
import type { CanvasOutletOptions } from './canvasOutlet.js'
import { limitsIn } from './conf.js'
import { addChild, currentRun } from './current.js'
import { Definitions } from './definitions.js'
import type { GroupResult } from './groupResult.js'
import type { Loan, LoanTerms } from './loan.js'
import { checkCall, checkId } from './optionChecks.js'
import type { Outlet, SendOptions } from './outlet.js'
import type { AnyResult } from './result.js'
import { Results } from './results.js'
import { sendCall } from './sending.js'
import { checkSendOptions } from './sendOptions.js'
import { Signature, type SignatureHome } from './workflow/signature.js'

/** How the CLI recognises an app that was built by another copy of this package. */
export const APP_BRAND: unique symbol = Symbol.for('celeriac.app')

/** The registry of tasks, the configuration, and the outlet for messages. It knows no broker: see `lib/celery.ts`. */
export abstract class App<Shared extends object = object> extends Definitions<Shared> {
  /** @internal */
  readonly [APP_BRAND] = true
  /** The name of this process's reply queue: Celery's `oid`. */
  readonly oid = randomUUID()
  protected readonly home: SignatureHome = {
    oid: this.oid,
    apply: (...canvas) => this.apply(...canvas),
    joinChord: (groupId) => this.joinChord(groupId),
    resultOf: (tuple) => this.results.from(tuple),
  }
  private readonly results = new Results(() => this.wayOut().outlet)
  private readonly loans: Loan[] = []
  private outlet: Outlet | null = null
  private readonly limits: CanvasLimits

  constructor(main: string, conf: Conf = {}) {
    super(main, conf)
    this.limits = limitsIn(this.conf)
    for (const make of [map, starmap]) this.tasks.addBuiltIn(make(this.tasks, this.limits))
    this.tasks.addBuiltIn(
      chordUnlock({
        apply: this.home.apply,
        backend: () => this.wayOut().outlet.backend,
        conf: () => this.inEffect,
      }),
    )
    for (const task of workflowTasks(this.home, this.limits)) this.tasks.addBuiltIn(task)
  }

  /**
   * Publishes a task message by name and resolves once the broker has confirmed it. Mirrors Celery's `app.send_task`. A
   * message that is sent from inside a task becomes the task's child.
   * @throws BrokerError if the broker can't be reached or refuses; TypeError for a wrong option, and if an argument
   *   can't be written as JSON
   */
  async sendTask(
    name: string,
    args: readonly unknown[] = [],
    kwargs: Kwargs = {},
    options: SendOptions = {},
  ): Promise<AsyncResult> {
    if (typeof name !== 'string' || name === '')
      throw new TypeError('sendTask needs the name of a task, such as "tasks.add"')
    checkCall(name, args, kwargs)
    checkSendOptions(name, options)
    const id = options.taskId ?? randomUUID()
    await sendCall(this.wayOut(), { id, task: name, args, kwargs, options, replyTo: this.oid })
    addChild(() => taskTuple(id))
    return this.results.task(id)
  }

  /**
   * A call of a task that isn't made yet, by the task's name; or a signature or workflow from its dict, as Python's
   * `Signature` and `toJSON` return it. Mirrors `app.signature`.
   * @throws TypeError for a wrong argument or option; SignatureError for a value that is not a signature
   */
  signature<Result = unknown>(
    task: string | Readonly<Record<string, unknown>>,
    args: readonly unknown[] = [],
    kwargs: Kwargs = {},
    options: SendOptions = {},
  ): Signature<readonly unknown[], Result> {
    if (task === '') throw new TypeError('signature needs the name of a task, such as "tasks.add"')
    checkCall(typeof task === 'string' ? task : 'signature', args, kwargs)
    const dict =
      typeof task === 'string' ? taskSignature(task, args, kwargs) : parseSignature(task, 'signature', this.limits)
    return new Signature<readonly unknown[], Result>(dict, this.home).set(options)
  }

  /**
   * The group that was kept with `GroupResult.save`, by this package or by Python; null if there is none.
   * @throws BackendError; TypeError for a value that is not an id
   */
  async restoreGroup<Result = unknown>(id: string): Promise<GroupResult<Result[]> | null> {
    checkId('restoreGroup', id)
    const tuple = await (await this.results.groups()).restore(id)
    return tuple && (this.results.from(tuple) as GroupResult<Result[]>)
  }

  /**
   * The result of a task that was sent, by the task's id. Mirrors `app.AsyncResult`.
   * @throws TypeError for a value that is not an id: nothing would ever come for it
   */
  asyncResult(id: string): AsyncResult {
    checkId('asyncResult', id)
    this.wayOut()
    return this.results.task(id)
  }

  /**
   * Lends the app another outlet beside its own; returns a function that takes it back. Each worker lends its outlet: a
   * task sends by the one of the worker that runs it.
   * @internal
   */
  lend(outlet: Outlet, terms: LoanTerms = {}): () => void {
    const loan: Loan = {
      outlet,
      worker: terms.worker ?? null,
      onlyTasks: terms.onlyTasks ?? false,
      hooks: terms.hooks ?? this.hooks,
    }
    this.loans.push(loan)
    return () => {
      const at = this.loans.indexOf(loan)
      if (at >= 0) this.loans.splice(at, 1)
    }
  }

  /** The outlet that was lent first for a worker; null if there is none. @internal */
  lentFor(nodename: string): Outlet | null {
    return this.loans.find(({ worker }) => worker === nodename)?.outlet ?? null
  }

  /**
   * Closes the connection that `sendTask` opened, if any; what still waits for a result then fails. Connections that
   * workers have lent are left to the workers.
   */
  async close(): Promise<void> {
    const { outlet } = this
    if (!outlet) return
    this.results.end(outlet)
    try {
      await outlet.close()
    } finally {
      // Another call may have closed it, and the app have opened the next one.
      if (this.outlet === outlet) this.outlet = null
    }
  }

  protected abstract open(): Outlet

  /** Those of the worker that runs the calling task, or of the program, from the environment and old names, too. */
  protected get inEffect(): Readonly<Record<string, unknown>> {
    return this.wayOut().outlet.settings ?? this.conf
  }

  private async apply(...[sig, call, joins]: Parameters<SignatureHome['apply']>): Promise<AnyResult> {
    const options = await this.canvasOptions()
    // Not for programs that only define tasks.
    const { applyCanvas } = await import('./applyCanvas.js')
    return this.results.from(await applyCanvas(sig, call, options, joins))
  }

  private async joinChord(groupId: string): Promise<void> {
    const options = await this.canvasOptions()
    const { joinChord } = await import('./applyCanvas.js')
    await joinChord(groupId, options)
  }

  private async canvasOptions(): Promise<CanvasOutletOptions> {
    const way = this.wayOut()
    // Only then is it known whether the backend can count the members of a chord.
    await way.outlet.loaded?.()
    const inEffect = way.outlet.settings ?? this.conf
    return {
      way,
      tasks: this.tasks,
      replyTo: this.oid,
      ignoresResults: inEffect.task_ignore_result === true,
      errorsOnHeader: inEffect.task_allow_error_cb_on_chord_header === true,
      mostSignatures: limitsIn(inEffect).elements,
      keepsGroups: true,
    }
  }

  private wayOut(): Pick<Loan, 'outlet' | 'hooks'> {
    const run = currentRun.getStore()
    const loan =
      this.loans.find(({ worker }) => run !== undefined && worker === run.worker) ??
      this.loans.findLast(({ onlyTasks }) => run !== undefined || !onlyTasks)
    if (loan) return loan
    this.outlet ??= this.open()
    return { outlet: this.outlet, hooks: this.hooks }
  }
}
