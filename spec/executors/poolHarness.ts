import { fileURLToPath } from 'node:url'
import type { App } from '../../lib/app/app.js'
import { Breakers } from '../../lib/app/breakers.js'
import { systemClock } from '../../lib/clock.js'
import type { ChildPoolOptions } from '../../lib/executors/childKind.js'
import type { ChildPool } from '../../lib/executors/childPool.js'
import type { TimeLimits } from '../../lib/executors/executor.js'
import type { LogLevel } from '../../lib/ports.js'
import type { Kwargs, TaskMessage } from '../../lib/protocol/message.js'
import { Request } from '../../lib/request/request.js'
import type { Outcome } from '../../lib/trace/outcome.js'
import app from '../apps/cpu.js'
import { FakeDelivery } from '../support/fakeDelivery.js'
import { MemoryLog } from '../support/memoryLog.js'
import { waitFor } from '../support/waitFor.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const APP = `${ROOT}build/apps/cpu.js`

export type PoolOptions = Partial<ChildPoolOptions> & { env?: Record<string, string> }
export type MakePool = (options: ChildPoolOptions & { env?: Record<string, string> }) => ChildPool

export interface RunOptions {
  /** Whose task it is: of the app that the children load. */
  app?: App
  limits?: Partial<TimeLimits>
  kwargs?: Kwargs
  retries?: number
  expires?: number
}

/** Lines below INFO aren't written, so that a child's aren't sent. */
class TaskLog extends MemoryLog {
  override isEnabled(level: LogLevel): boolean {
    return level !== 'DEBUG'
  }
}

/** A pool of real children with the spec app in them. */
export class PoolHarness {
  readonly log = new MemoryLog()
  readonly taskLog = new TaskLog()
  readonly states: unknown[] = []
  /** Those whose body was about to run, with the process that it runs in. */
  readonly started: Array<{ readonly id: string; readonly pid: number | null }> = []
  storeFails = false
  readonly pool: ChildPool
  private ids = 0

  private constructor(make: MakePool, options: PoolOptions) {
    this.pool = make({
      source: { specifier: APP, cwd: ROOT, include: [] },
      size: 1,
      maxTasksPerChild: null,
      maxMemoryPerChildKib: null,
      hostname: 'w@spec',
      clock: systemClock,
      log: this.log,
      breakers: new Breakers(),
      ...options,
    })
  }

  static async start(make: MakePool, options: PoolOptions = {}): Promise<PoolHarness> {
    const harness = new PoolHarness(make, options)
    await harness.pool.start()
    return harness
  }

  static unstarted(make: MakePool, options: PoolOptions): PoolHarness {
    return new PoolHarness(make, options)
  }

  request(task: string, args: readonly unknown[] = [], options: RunOptions = {}): Request {
    const registered = (options.app ?? app).tasks.get(task)
    if (!registered) throw new Error(`the spec app has no task ${task}`)
    const id = `id-${++this.ids}`
    const message: TaskMessage = {
      id,
      task,
      shadow: null,
      args,
      kwargs: options.kwargs ?? {},
      embed: { callbacks: null, errbacks: null, chain: null, chord: null },
      retries: options.retries ?? 0,
      eta: null,
      expires: options.expires ?? null,
      timelimit: [null, null],
      rootId: 'root',
      parentId: 'parent',
      group: null,
      argsrepr: null,
      kwargsrepr: null,
      ignoreResult: null,
      headers: { 'my-h': 'v' },
      properties: { correlationId: id, replyTo: 'reply', priority: 3 },
    }
    return new Request(message, registered, new FakeDelivery(message.properties, Buffer.alloc(0)), null, false, 0)
  }

  start(request: Request, limits: Partial<TimeLimits> = {}): Promise<Outcome> {
    return this.pool.run(request, {
      limits: { soft: null, hard: null, ...limits },
      log: this.taskLog,
      onStart: () => void this.started.push({ id: request.id, pid: request.pid }),
      updateState: async (state, meta) => {
        if (this.storeFails) throw new Error('the store is away')
        this.states.push({ state, meta })
      },
    })
  }

  run(task: string, args: readonly unknown[] = [], options: RunOptions = {}): Promise<Outcome> {
    return this.start(this.request(task, args, options), options.limits)
  }

  /** The result of a task that succeeds. */
  async resultOf<T = unknown>(task: string, args: readonly unknown[] = [], options: RunOptions = {}): Promise<T> {
    const outcome = await this.run(task, args, options)
    if (outcome.state === 'SUCCESS') return outcome.result as T
    throw new Error(`${task} ended with ${outcome.state}`, { cause: outcome })
  }

  /** Waits until a task has said something. */
  async heard(line: string): Promise<void> {
    const said = (): boolean => this.taskLog.of('INFO').includes(line)
    await waitFor(said, { what: `the task's line ${line}` })
  }

  /** Ids of the processes or threads. */
  get children(): number[] {
    const { processes, threads } = this.pool.describe()
    return (processes ?? threads) as number[]
  }
}
