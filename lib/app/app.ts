import { randomUUID } from 'node:crypto'
import { systemClock } from '../clock.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import { encodeTask, NO_EMBED } from '../protocol/encode.js'
import type { Kwargs } from '../protocol/message.js'
import { repr } from '../protocol/repr.js'
import { AsyncResult } from './asyncResult.js'
import { currentRun } from './current.js'
import { Definitions } from './definitions.js'
import { aroundPublish } from './hooks/aroundPublish.js'
import type { Loan, LoanTerms } from './loan.js'
import { plainObject } from './optionChecks.js'
import type { Outlet, SendOptions } from './outlet.js'
import { checkSendOptions } from './sendOptions.js'
import { traceSend } from './sendSpan.js'
import type { ResultSource } from './stateWatch.js'

/** Characters of a wrong argument that are shown. */
const SHOWN = 80

/** How the CLI recognises an app that was built by another copy of this package. */
export const APP_BRAND: unique symbol = Symbol.for('celeriac.app')

/** The registry of tasks, the configuration, and the way out for messages. Without any broker in it: see `lib/celery.ts`. */
export abstract class App<Shared extends object = object> extends Definitions<Shared> {
  readonly [APP_BRAND] = true
  /** The name of this process's reply queue: Celery's `oid`. */
  readonly oid = randomUUID()
  private readonly loans: Loan[] = []
  private outlet: Outlet | null = null

  /**
   * Publishes a task message by name and resolves once the broker has confirmed it. Mirrors Celery's `app.send_task`.
   * Sent from inside a task, the message becomes its child.
   * @throws BrokerError if the broker can't be reached or refuses; TypeError for a wrong option, and if an argument isn't JSON
   */
  async sendTask(
    name: string,
    args: readonly unknown[] = [],
    kwargs: Kwargs = {},
    options: SendOptions = {},
  ): Promise<AsyncResult> {
    if (typeof name !== 'string' || name === '')
      throw new TypeError('sendTask needs the name of a task, such as "tasks.add"')
    if (!Array.isArray(args)) throw new TypeError(`${name}: the arguments are ${repr(args, SHOWN)}: expected a list`)
    if (plainObject(kwargs) !== null) {
      throw new TypeError(`${name}: the keyword arguments are ${repr(kwargs, SHOWN)}: expected an object`)
    }
    checkSendOptions(name, options)
    const { outlet, hooks } = this.wayOut()
    const route = outlet.route(name, options, args, kwargs)
    const id = options.taskId ?? randomUUID()
    const parent = currentRun.getStore()
    const eta =
      options.eta ?? (options.countdown === undefined ? null : new Date(Date.now() + options.countdown * 1000))
    const { stamps = {} } = options
    const message = encodeTask({
      id,
      task: name,
      args,
      kwargs,
      route,
      eta,
      expires:
        typeof options.expires === 'number' ? new Date(Date.now() + options.expires * 1000) : (options.expires ?? null),
      rootId: options.rootId ?? parent?.rootId ?? id,
      parentId: options.parentId ?? parent?.id ?? null,
      replyTo: options.replyTo ?? this.oid,
      headers: options.headers ?? {},
      ignoreResult: options.ignoreResult ?? false,
      canvas: {
        shadow: options.shadow ?? null,
        timelimit: [options.timeLimit ?? null, options.softTimeLimit ?? null],
        stamps,
        stampedHeaders: Object.keys(stamps).length > 0 ? Object.keys(stamps) : null,
      },
    })
    await outlet.prepare(route)
    const delayMs = eta === null ? 0 : eta.getTime() - Date.now()
    const send = (message: OutgoingMessage): Promise<void> =>
      traceSend(message, (message) => outlet.send(message, route, delayMs))
    if (hooks.any) await aroundPublish(hooks, message, [args, kwargs, NO_EMBED], send)
    else await send(message)
    parent?.children.push(id)
    return this.result(id)
  }

  /** What becomes of a task that was sent, by its id. Mirrors `app.AsyncResult`. */
  asyncResult(id: string): AsyncResult {
    this.wayOut()
    return this.result(id)
  }

  /**
   * Gives the app a way out beside its own; returns what takes it back. Workers lend theirs like this: a task sends by that of the worker
   * that runs it.
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

  /** Closes the connection that `sendTask` opened, if it did. What workers lend is theirs to close. */
  async close(): Promise<void> {
    await this.outlet?.close()
    this.outlet = null
  }

  protected abstract open(): Outlet

  /** It asks through the way out that there is by then: a closed app opens another. */
  private result(id: string): AsyncResult {
    const backend: ResultSource = {
      get: (asked) => this.wayOut().outlet.backend.get(asked),
      subscribe: (asked, onMeta) => this.wayOut().outlet.backend.subscribe(asked, onMeta),
      forget: (asked) => this.wayOut().outlet.backend.forget(asked),
    }
    return new AsyncResult(id, backend, systemClock)
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
