import type { CanvasMessage } from './canvasMessage.js'
import type { FreezeSource } from './freeze.js'
import type { ResultNode } from './resultNode.js'
import type { Signature } from './signature.js'

/** What sends the messages of a canvas. */
export interface CanvasOutlet extends FreezeSource {
  /** `task_allow_error_cb_on_chord_header`. */
  readonly errorsOnHeader: boolean
  /** How many messages of a canvas may be on their way to the broker at once. */
  readonly mostUnconfirmed: number
  /** Sends one message, and resolves once the broker has it. What it has of root and parent is the canvas's own; null for what the sender adds. */
  send(message: CanvasMessage): Promise<void>
  /**
   * Asked before the first message of a canvas with a chord is sent.
   * @throws where the result backend can do no chords
   */
  ensureChords(): void
  /** Called before the header of a chord is sent: `apply_chord`. Saves what a nested header is made of, or has something wait for it. */
  startChord(header: ResultNode, body: Signature): Promise<void>
  /** Called before the last member of a header is sent: how many ends of members complete the chord. */
  setChordSize(groupId: string, size: number): Promise<void>
  /** Told of what the current task has sent: Celery's `add_trail`. */
  sent?(result: ResultNode): void
}
