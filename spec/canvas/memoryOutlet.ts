import type { CanvasMessage } from '../../lib/canvas/canvasMessage.js'
import type { CanvasOutlet } from '../../lib/canvas/outlet.js'
import { type ResultNode, tupleOf } from '../../lib/canvas/resultNode.js'
import type { ResultTuple } from '../../lib/protocol/result.js'

/** What went out, in its order. */
export type Sent =
  | readonly ['send', CanvasMessage]
  | readonly ['chord', ResultTuple]
  | readonly ['size', groupId: string, size: number]

/** Keeps what is sent. Ids count from id1. */
export class MemoryOutlet implements CanvasOutlet {
  readonly log: Sent[] = []
  readonly children: ResultTuple[] = []
  readonly replyTo = null
  readonly errorsOnHeader = false
  readonly keepsGroups = false
  readonly mostUnconfirmed: number = 10
  readonly mostSignatures: number = 100_000
  private ids = 0

  newId(): string {
    return `id${++this.ids}`
  }

  get messages(): CanvasMessage[] {
    return this.log.flatMap((entry) => (entry[0] === 'send' ? [entry[1]] : []))
  }

  async send(message: CanvasMessage): Promise<void> {
    this.log.push(['send', message])
  }

  ensureChords(): void {
    // All may be sent here.
  }

  async startChord(header: ResultNode): Promise<void> {
    this.log.push(['chord', tupleOf(header)])
  }

  async setChordSize(groupId: string, size: number): Promise<void> {
    this.log.push(['size', groupId, size])
  }

  sent(result: ResultNode): void {
    this.children.push(tupleOf(result))
  }
}
