import { BackendError } from '../../lib/backends/backendError.js'
import type { Backend } from '../../lib/ports.js'
import { decodeResult, encodeResult, type ResultMeta } from '../../lib/protocol/result.js'

/** A backend in this process: what a store would keep, and a switch to take it away. */
export class MemoryBackend implements Backend {
  readonly name = 'memory://'
  readonly storesNothing = false
  /** Every state that was stored, in order, as `id status`. */
  readonly stored: string[] = []
  /** Calls of `store`, successful or not. */
  tries = 0
  away = false
  stopped = false
  private readonly values = new Map<string, string>()
  private readonly listeners = new Map<string, Set<(meta: ResultMeta) => void>>()

  async start(): Promise<void> {
    this.stopped = false
  }

  async stop(): Promise<void> {
    this.stopped = true
  }

  healthy(): boolean {
    return !this.away
  }

  async store(meta: ResultMeta): Promise<void> {
    this.tries++
    const value = encodeResult(meta)
    if (this.away) throw new BackendError('the memory is away')
    const before = await this.get(meta.taskId)
    if (before?.status === 'SUCCESS') return
    this.values.set(meta.taskId, value)
    this.stored.push(`${meta.taskId} ${meta.status}`)
    for (const listener of this.listeners.get(meta.taskId) ?? []) listener(decodeResult(value))
  }

  async get(id: string): Promise<ResultMeta | null> {
    const value = this.values.get(id)
    return value === undefined ? null : decodeResult(value)
  }

  async subscribe(id: string, onMeta: (meta: ResultMeta) => void): Promise<() => Promise<void>> {
    const listeners = this.listeners.get(id) ?? new Set()
    const listener = (meta: ResultMeta): void => onMeta(meta)
    this.listeners.set(id, listeners.add(listener))
    return async () => {
      listeners.delete(listener)
    }
  }

  async forget(id: string): Promise<void> {
    this.values.delete(id)
  }
}
