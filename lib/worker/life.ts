import type { Session } from '../broker/session.js'
import { coerceError } from '../errors.js'
import { Listeners } from '../listeners.js'

/** Reports the life of a worker as a whole. */
export class Life {
  /** Called when the worker consumes: at the first connection, and after each lost one. */
  readonly onConsuming = new Listeners()
  /** Called with the reason when a connection is lost on which the worker consumed. */
  readonly onLost = new Listeners<[reason: Error]>()
  /** Called when the worker begins to stop, whoever asked for that. */
  readonly onStopping = new Listeners()
  /** Error that ended the worker; null otherwise. */
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
