import type { CanvasMessage } from './canvasMessage.js'
import type { FreezeSource } from './freeze.js'
import type { ResultNode } from './resultNode.js'
import type { Signature } from './signature.js'

/** Sends the messages of a canvas. */
export interface CanvasOutlet extends FreezeSource {
  /** `task_allow_error_cb_on_chord_header`. */
  readonly errorsOnHeader: boolean
  /** How many messages of a canvas may be on their way to the broker at once. */
  readonly mostUnconfirmed: number
  /** How many signatures one message may carry: `worker_max_canvas_items`. */
  readonly mostSignatures: number
  /**
   * Sends one message, and resolves once the broker has it. Its root and parent, if set, are the canvas's own; null
   * lets the sender set them.
   */
  send(message: CanvasMessage): Promise<void>
  /**
   * Called before the first message of a canvas with a chord is sent.
   * @throws if the result backend does not support chords
   */
  ensureChords(): void
  /**
   * Called before the header of a chord is sent: `apply_chord`. Saves the structure of a nested header, or starts the
   * task that waits for it.
   */
  startChord(header: ResultNode, body: Signature): Promise<void>
  /** Called before the last member of a header is sent: how many ended members complete the chord. */
  setChordSize(groupId: string, size: number): Promise<void>
  /** Called for each result that the current task has sent: Celery's `add_trail`. */
  sent?(result: ResultNode): void
}
