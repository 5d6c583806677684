import { LimitedSet } from '../containers/limitedSet.js'
import { Listeners } from '../listeners.js'
import type { Clock } from '../ports.js'
import type { TaskMessage } from '../protocol/message.js'

/** Ids kept at most. */
export const MOST_REVOKED = 50_000
const EXPIRES_MS = 10_800_000

/** The revoked tasks as they are kept over a restart. Times are wall-clock milliseconds. */
export interface RevokedRecord {
  readonly ids: readonly (readonly [id: string, at: number])[]
  readonly stamps: readonly (readonly [header: string, value: string, at: number])[]
}

/**
 * Ids of tasks that must not run, and values of stamps whose tasks must not: bounded, and forgotten after three hours, as in
 * Celery (`CELERY_WORKER_REVOKES_MAX`, `CELERY_WORKER_REVOKE_EXPIRES`).
 */
export class Revoked {
  private readonly byId: LimitedSet
  /** Header and value joined into one text that is unique to the pair. */
  private readonly byStamp: LimitedSet
  private readonly additions = new Listeners()

  constructor(
    private readonly clock: Clock,
    maxSize = MOST_REVOKED,
    expiresMs = EXPIRES_MS,
  ) {
    this.byId = new LimitedSet({ clock, maxSize, expiresMs })
    this.byStamp = new LimitedSet({ clock, maxSize, expiresMs })
  }

  /** Calls `listener` for each new id or stamp. @returns a function that stops this */
  onAdded(listener: () => void): () => void {
    return this.additions.add(listener)
  }

  /** Ids, oldest first. */
  get ids(): readonly string[] {
    return this.byId.entries().map(([id]) => id)
  }

  add(id: string, at = this.clock.now()): void {
    this.byId.add(id, at)
    this.additions.tell()
  }

  addStamp(header: string, value: string, at = this.clock.now()): void {
    this.byStamp.add(JSON.stringify([header, value]), at)
    this.additions.tell()
  }

  has(id: string): boolean {
    return this.byId.has(id)
  }

  /**
   * Returns whether a stamp of the message is revoked. Stamps are flat headers, named by `stamped_headers`, or the dict
   * `stamps`.
   */
  hasStampOf(headers: Readonly<Record<string, unknown>>): boolean {
    if (this.byStamp.size === 0) return false
    const stamps = typeof headers.stamps === 'object' && headers.stamps !== null ? headers.stamps : {}
    const named: readonly unknown[] = Array.isArray(headers.stamped_headers) ? headers.stamped_headers : []
    const isOwn = (name: unknown): name is string => typeof name === 'string' && Object.hasOwn(headers, name)
    const pairs = [...Object.entries(stamps), ...named.filter(isOwn).map((name) => [name, headers[name]] as const)]
    return pairs.some(([name, value]) =>
      // A table has no text that could have been revoked, and may have none at all.
      [value].flat().some((each) => typeof each !== 'object' && this.byStamp.has(JSON.stringify([name, String(each)]))),
    )
  }

  /** Returns whether the task must not run, by its id or by a stamp. */
  covers({ id, message }: { readonly id: string; readonly message: Pick<TaskMessage, 'headers'> }): boolean {
    return this.has(id) || this.hasStampOf(message.headers)
  }

  dump(): RevokedRecord {
    return {
      ids: this.byId.entries(),
      stamps: this.byStamp.entries().map(([pair, at]) => {
        const [header, value] = JSON.parse(pair) as [string, string]
        return [header, value, at]
      }),
    }
  }

  load({ ids, stamps }: RevokedRecord): void {
    for (const [id, at] of ids) this.add(id, at)
    for (const [header, value, at] of stamps) this.addStamp(header, value, at)
  }
}
