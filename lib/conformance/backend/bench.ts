import { randomUUID } from 'node:crypto'
import type { Backend } from '../../ports.js'
import { type ResultMeta, resultMeta } from '../../protocol/result.js'

/** A result backend, and how to reach one. */
export interface BackendCase {
  /** For the names of the tests. */
  readonly name: string
  /** Makes a backend that isn't started; called for each test. */
  create(): Promise<Backend> | Backend
  /** Whether results can be asked for at all. Without it, only storing and life are looked at. */
  readonly reads: boolean
  /** Whether what one has stored is there for the others, as it is unless results belong to who has asked for them; true unless given. */
  readonly shares?: boolean
  /** Whether it counts chords and saves groups. */
  readonly chords?: boolean
  /** Makes one that keeps results for so many seconds, where results expire. */
  createExpiring?(seconds: number): Promise<Backend> | Backend
  /** Takes the server away from the backends that were made, and brings it back; where there is a server. */
  readonly outage?: {
    /** Takes it away. */
    begin(): Promise<void> | void
    /** Brings it back. */
    end(): Promise<void> | void
  }
}

/** Nobody waits for a reply. */
export const NOBODY = { replyTo: null, correlationId: null }

/** What a case works with. */
export class BackendBench {
  /** The id of a task that nobody knows. */
  readonly id = randomUUID()
  private readonly opened: Backend[] = []

  private constructor(
    readonly of: BackendCase,
    /** One that is started. */
    readonly backend: Backend,
  ) {}

  static async open(of: BackendCase): Promise<BackendBench> {
    const backend = await of.create()
    const bench = new BackendBench(of, backend)
    await bench.started(backend)
    return bench
  }

  /** Starts another one, which ends with the case. */
  readonly started = async (backend: Backend): Promise<Backend> => {
    this.opened.push(backend)
    await backend.start()
    return backend
  }

  /** A state of the task. */
  readonly meta = (status: string, result: unknown, more: Partial<ResultMeta> = {}): ResultMeta =>
    resultMeta({ taskId: this.id, status, result, ...more }, Date.UTC(2026, 10, 24, 8, 47, 48, 964))

  async clear(): Promise<void> {
    for (const backend of this.opened) await backend.stop()
  }
}
