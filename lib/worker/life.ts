import type { Session } from '../broker/session.js'
import { coerceError } from '../errors.js'
import { Listeners } from '../listeners.js'

/** What becomes of a worker as a whole, for whoever runs it. */
export class Life {
  /** It consumes: at the first connection, and at each one after a loss. */
  readonly onConsuming = new Listeners()
  /** A connection is lost on which it consumed, for the reason given. */
  readonly onLost = new Listeners<[reason: Error]>()
  /** It begins to stop, whoever asked for that. */
  readonly onStopping = new Listeners()
  /** Why it ends by itself; null otherwise. */
  failure: Error | null = null
  private session: Session | null = null
  private isStopping = false

  consumes(session: Session): void {
    this.session = session
    this.onConsuming.tell()
  }

  disconnected(): void {
    const { session } = this
    this.session = null
    if (session && !this.isStopping) this.onLost.tell(coerceError(session.ended.reason))
  }

  /** A cold stop may follow a warm one. */
  stops(): void {
    if (this.isStopping) return
    this.isStopping = true
    this.onStopping.tell()
  }
}
