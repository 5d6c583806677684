import { randomUUID } from 'node:crypto'
import type { Backend } from '../../ports.js'
import { type ResultMeta, resultMeta } from '../../protocol/result.js'

/** A result backend, with what the tests need to reach it. */
export interface BackendCase {
  /** Name shown in the names of the tests. */
  readonly name: string
  /** Makes a backend that isn't started; called for each test. */
  create(): Promise<Backend> | Backend
  /** True if results can be read. Otherwise only storing, start and stop are tested. */
  readonly reads: boolean
  /**
   * True (the default) if every backend on the store sees the results; false if results belong to the client that asked
   * for them.
   */
  readonly shares?: boolean
  /** True if it counts chords and saves groups. */
  readonly chords?: boolean
  /** Makes a backend that keeps results for this many seconds, if results expire. */
  createExpiring?(seconds: number): Promise<Backend> | Backend
  /** Stops the server of all backends that were made, and starts it again; if there is a server. */
  readonly outage?: {
    /** Stops the server. */
    begin(): Promise<void> | void
    /** Starts the server again. */
    end(): Promise<void> | void
  }
}

/** A request without a reply queue. */
export const NOBODY = { replyTo: null, correlationId: null }

/** Tools of a test case. */
export class BackendBench {
  /** The id of a task that nobody knows. */
  readonly id = randomUUID()
  private readonly opened: Backend[] = []

  private constructor(
    readonly of: BackendCase,
    /** A started backend. */
    readonly backend: Backend,
  ) {}

  static async open(of: BackendCase): Promise<BackendBench> {
    const backend = await of.create()
    const bench = new BackendBench(of, backend)
    await bench.started(backend)
    return bench
  }

  /** Starts another backend, which is stopped at the end of the case. */
  readonly started = async (backend: Backend): Promise<Backend> => {
    this.opened.push(backend)
    await backend.start()
    return backend
  }

  /** Makes a state of the task. */
  readonly meta = (status: string, result: unknown, more: Partial<ResultMeta> = {}): ResultMeta =>
    resultMeta({ taskId: this.id, status, result, ...more }, Date.UTC(2026, 10, 24, 8, 47, 48, 964))

  async clear(): Promise<void> {
    for (const backend of this.opened) await backend.stop()
  }
}
