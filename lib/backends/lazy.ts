import type { Backend, ChordStore, GroupStore, ResultRequest } from '../ports.js'
import type { ResultMeta } from '../protocol/result.js'

/** A backend whose code is loaded by the first call, so that programs that name it and never use it don't load it. */
export class LazyBackend implements Backend {
  private inner: Backend | null = null
  private loading: Promise<Backend> | null = null
  private stopped = false

  constructor(
    private readonly unloaded: string,
    private readonly load: () => Promise<Backend>,
  ) {}

  get name(): string {
    return this.inner?.name ?? this.unloaded
  }

  /** Known once the backend has started. */
  get storesNothing(): boolean {
    return this.inner?.storesNothing ?? false
  }

  /** Known once the backend has started. */
  get chords(): ChordStore | undefined {
    return this.inner?.chords
  }

  /** Known once the backend has started. */
  get groups(): GroupStore | undefined {
    return this.inner?.groups
  }

  async start(): Promise<void> {
    const backend = await this.loaded()
    if (!this.stopped) await backend.start()
  }

  async stop(): Promise<void> {
    this.stopped = true
    await (await this.loading?.catch(() => null))?.stop()
  }

  healthy(): boolean {
    return this.inner?.healthy() ?? false
  }

  async store(meta: ResultMeta, request: ResultRequest): Promise<void> {
    await (await this.loaded()).store(meta, request)
  }

  async storeUnlessReady(meta: ResultMeta): Promise<void> {
    await (await this.loaded()).storeUnlessReady?.(meta)
  }

  async get(id: string): Promise<ResultMeta | null> {
    return (await this.loaded()).get(id)
  }

  async subscribe(id: string, onMeta: (meta: ResultMeta) => void): Promise<() => Promise<void>> {
    return (await this.loaded()).subscribe(id, onMeta)
  }

  async forget(id: string): Promise<void> {
    await (await this.loaded()).forget(id)
  }

  /** The backend itself, once its code is loaded. */
  loaded(): Promise<Backend> {
    this.loading ??= this.load().then((backend) => {
      this.inner = backend
      return backend
    })
    return this.loading
  }
}
