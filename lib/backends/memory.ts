import type { Backend, ChordStore, GroupStore } from '../ports.js'
import { decodeGroup, encodeGroup } from '../protocol/groupResult.js'
import { decodeResult, encodeResult, READY_STATES, type ResultMeta } from '../protocol/result.js'
import { MemoryChords } from './memoryChords.js'
import { Recent } from './recent.js'

/** The most results, as in Celery's own cache; the oldest are dropped first. */
const MOST = 5000

/** The last states of tasks, in the process: shared by all apps and workers with this backend. */
class Store {
  private readonly values = new Recent<string>(MOST)
  private readonly listeners = new Map<string, Set<(meta: ResultMeta) => void>>()

  get(id: string): ResultMeta | null {
    const value = this.values.get(id)
    return value === undefined ? null : decodeResult(value)
  }

  put(id: string, value: string): void {
    this.values.set(id, value)
    for (const listener of [...(this.listeners.get(id) ?? [])]) listener(decodeResult(value))
  }

  delete(id: string): void {
    this.values.delete(id)
  }

  listen(id: string, onMeta: (meta: ResultMeta) => void): () => void {
    const listeners = this.listeners.get(id) ?? new Set()
    const listener = (meta: ResultMeta): void => onMeta(meta)
    this.listeners.set(id, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.listeners.get(id) === listeners) this.listeners.delete(id)
    }
  }
}

const store = new Store()
const chords = new MemoryChords(MOST)
const savedGroups = new Recent<string>(MOST)

const groups: GroupStore = {
  save: async (id, group) => savedGroups.set(id, encodeGroup(group)),
  restore: async (id) => {
    const text = savedGroups.get(id)
    return text === undefined ? null : decodeGroup(text)
  },
  delete: async (id) => savedGroups.delete(id),
}

/**
 * Results in the memory of the process, for tasks that a worker in the same process runs, as with the broker
 * `memory://`. Nothing expires; the last 5,000 tasks are kept. Mirrors Celery's `cache+memory://`.
 */
export class MemoryBackend implements Backend {
  readonly name = 'cache+memory://'
  readonly storesNothing = false
  readonly chords: ChordStore = chords
  readonly groups: GroupStore = groups

  async start(): Promise<void> {
    // There is nothing to connect to.
  }

  async stop(): Promise<void> {
    // Others may still use it.
  }

  healthy(): boolean {
    return true
  }

  async store(meta: ResultMeta): Promise<void> {
    const value = encodeResult(meta)
    if (store.get(meta.taskId)?.status !== 'SUCCESS') store.put(meta.taskId, value)
  }

  async storeUnlessReady(meta: ResultMeta): Promise<void> {
    const known = store.get(meta.taskId)
    if (!known || !READY_STATES.has(known.status)) await this.store(meta)
  }

  async get(id: string): Promise<ResultMeta | null> {
    return store.get(id)
  }

  async subscribe(id: string, onMeta: (meta: ResultMeta) => void): Promise<() => Promise<void>> {
    const leave = store.listen(id, onMeta)
    return async () => leave()
  }

  async forget(id: string): Promise<void> {
    store.delete(id)
  }
}
