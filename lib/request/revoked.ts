import type { Clock } from '../ports.js'

const MOST = 50_000
const EXPIRES_MS = 10_800_000

/** What is kept of the revoked tasks over a restart. Times are wall-clock milliseconds. */
export interface RevokedRecord {
  readonly ids: readonly (readonly [id: string, at: number])[]
  readonly stamps: readonly (readonly [header: string, value: string, at: number])[]
}

/**
 * Ids of tasks that must not run, and values of stamps whose tasks must not: bounded, and forgotten after three hours, as in
 * Celery (`CELERY_WORKER_REVOKES_MAX`, `CELERY_WORKER_REVOKE_EXPIRES`).
 */
export class Revoked {
  private readonly byId = new Map<string, number>()
  /** Header and value as one text, which no other pair has. */
  private readonly byStamp = new Map<string, number>()

  constructor(
    private readonly clock: Clock,
    private readonly most = MOST,
    private readonly expiresMs = EXPIRES_MS,
  ) {}

  /** Ids, oldest first. */
  get ids(): readonly string[] {
    this.forgetOld(this.byId)
    return [...this.byId.keys()]
  }

  add(id: string, at = this.clock.now()): void {
    this.keep(this.byId, id, at)
  }

  addStamp(header: string, value: string, at = this.clock.now()): void {
    this.keep(this.byStamp, JSON.stringify([header, value]), at)
  }

  has(id: string): boolean {
    const at = this.byId.get(id)
    return at !== undefined && this.clock.now() - at < this.expiresMs
  }

  /** Whether a stamp of the message is revoked. Stamps are flat headers, named by `stamped_headers`, or the dict `stamps`. */
  hasStampOf(headers: Readonly<Record<string, unknown>>): boolean {
    if (this.byStamp.size === 0) return false
    this.forgetOld(this.byStamp)
    const stamps = typeof headers.stamps === 'object' && headers.stamps !== null ? headers.stamps : {}
    const named = Array.isArray(headers.stamped_headers) ? headers.stamped_headers.map(String) : []
    const pairs = [...Object.entries(stamps), ...named.map((name) => [name, headers[name]] as const)]
    return pairs.some(([name, value]) =>
      [value].flat().some((each) => this.byStamp.has(JSON.stringify([name, String(each)]))),
    )
  }

  dump(): RevokedRecord {
    this.forgetOld(this.byId)
    this.forgetOld(this.byStamp)
    return {
      ids: [...this.byId],
      stamps: [...this.byStamp].map(([pair, at]) => {
        const [header, value] = JSON.parse(pair) as [string, string]
        return [header, value, at]
      }),
    }
  }

  load({ ids, stamps }: RevokedRecord): void {
    for (const [id, at] of ids) this.add(id, at)
    for (const [header, value, at] of stamps) this.addStamp(header, value, at)
  }

  /** Told of each that is new. */
  onAdded: () => void = () => undefined

  private keep(entries: Map<string, number>, key: string, at: number): void {
    entries.delete(key)
    entries.set(key, at)
    this.onAdded()
    if (entries.size > this.most) this.forgetOld(entries)
    for (const oldest of entries.keys()) {
      if (entries.size <= this.most) break
      entries.delete(oldest)
    }
  }

  private forgetOld(entries: Map<string, number>): void {
    const now = this.clock.now()
    for (const [key, at] of entries) {
      if (now - at < this.expiresMs) break
      entries.delete(key)
    }
  }
}
