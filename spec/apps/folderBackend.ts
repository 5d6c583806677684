import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Backend, BackendError, type BackendOptions, decodeResult, encodeResult, type ResultMeta } from 'celeriac'

const POLL_MS = 5

/** Results in files of a folder, a line for each state, as somebody would write a backend by the recipe of `lib/README.md`: `folder:///var/results`. */
export class FolderBackend implements Backend {
  readonly name: string
  readonly storesNothing = false
  private readonly folder: string
  private readonly polls = new Set<NodeJS.Timeout>()
  /** States are stored one after another, since a file is read before it is written. */
  private last: Promise<unknown> = Promise.resolve()

  constructor({ shownUrl, url }: Pick<BackendOptions, 'shownUrl' | 'url'>) {
    this.name = shownUrl
    this.folder = fileURLToPath(url.replace(/^folder:/, 'file:'))
  }

  async start(): Promise<void> {
    await mkdir(this.folder, { recursive: true })
  }

  async stop(): Promise<void> {
    for (const poll of this.polls) clearInterval(poll)
    await this.last
  }

  healthy(): boolean {
    return true
  }

  store(meta: ResultMeta): Promise<void> {
    const storing = this.last.then(() => this.put(meta))
    this.last = storing.catch(() => undefined)
    return storing
  }

  async get(id: string): Promise<ResultMeta | null> {
    const last = (await this.states(id)).at(-1)
    return last === undefined ? null : decodeResult(last)
  }

  async subscribe(id: string, onMeta: (meta: ResultMeta) => void): Promise<() => Promise<void>> {
    let known = (await this.states(id)).length
    const look = async (): Promise<void> => {
      const states = await this.states(id)
      if (!this.polls.has(poll)) return
      for (const state of states.slice(known)) onMeta(decodeResult(state))
      known = states.length
    }
    const poll = setInterval(() => {
      // One look after another, so that none is told twice.
      looking = looking.then(look)
    }, POLL_MS)
    let looking = Promise.resolve()
    this.polls.add(poll)
    return async () => {
      this.polls.delete(poll)
      clearInterval(poll)
    }
  }

  async forget(id: string): Promise<void> {
    await rm(this.fileOf(id), { force: true })
  }

  private async put(meta: ResultMeta): Promise<void> {
    const text = encodeResult(meta)
    if ((await this.get(meta.taskId))?.status === 'SUCCESS') return
    await appendFile(this.fileOf(meta.taskId), `${text}\n`).catch((cause) => {
      throw new BackendError(`${this.name}: ${String(cause)}`, { cause })
    })
  }

  /** All states of a task that are written whole, oldest first. */
  private async states(id: string): Promise<string[]> {
    const text = await readFile(this.fileOf(id), 'utf8').catch(() => '')
    return text.split('\n').slice(0, -1)
  }

  private fileOf(id: string): string {
    return join(this.folder, encodeURIComponent(id))
  }
}
