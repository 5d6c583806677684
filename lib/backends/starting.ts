import type { Backend, ChordStore, GroupStore, ResultRequest } from '../ports.js'
import type { ResultMeta } from '../protocol/result.js'

/**
 * A backend that is started by the first call: a client process may ask for a result without having sent anything.
 * Calls that come meanwhile wait for the same start; a failed start is retried by the next call.
 */
export class StartingBackend implements Backend {
  readonly name: string
  readonly storesNothing: boolean
  readonly chords: ChordStore | undefined
  readonly groups: GroupStore | undefined
  private starting: Promise<void> | null = null

  constructor(private readonly inner: Backend) {
    this.name = inner.name
    this.storesNothing = inner.storesNothing
    const { chords, groups } = inner
    this.chords = chords && {
      setSize: (groupId, size) => this.started(() => chords.setSize(groupId, size)),
      grow: (groupId, by) => this.started(() => chords.grow(groupId, by)),
      addPart: (part) => this.started(() => chords.addPart(part)),
      members: (groupId) => this.started(() => chords.members(groupId)),
      close: (groupId) => this.started(() => chords.close(groupId)),
      takeBody: (body) => this.started(() => chords.takeBody(body)),
    }
    this.groups = groups && {
      save: (id, group) => this.started(() => groups.save(id, group)),
      restore: (id) => this.started(() => groups.restore(id)),
      delete: (id) => this.started(() => groups.delete(id)),
    }
  }

  start(): Promise<void> {
    this.starting ??= this.inner.start().catch((thrown) => {
      this.starting = null
      throw thrown
    })
    return this.starting
  }

  stop(): Promise<void> {
    return this.inner.stop()
  }

  healthy(): boolean {
    return this.inner.healthy()
  }

  async store(meta: ResultMeta, request: ResultRequest): Promise<void> {
    await this.start()
    await this.inner.store(meta, request)
  }

  async get(id: string): Promise<ResultMeta | null> {
    await this.start()
    return this.inner.get(id)
  }

  async subscribe(id: string, onMeta: (meta: ResultMeta) => void): Promise<() => Promise<void>> {
    await this.start()
    return this.inner.subscribe(id, onMeta)
  }

  async forget(id: string): Promise<void> {
    await this.start()
    await this.inner.forget(id)
  }

  private async started<T>(call: () => Promise<T>): Promise<T> {
    await this.start()
    return call()
  }
}
