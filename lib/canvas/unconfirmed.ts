import type { CanvasMessage } from './canvasMessage.js'
import type { CanvasOutlet } from './outlet.js'
import type { ResultNode } from './resultNode.js'
import type { Signature } from './signature.js'

/**
 * Sends the messages of one canvas in their order, without waiting for the broker to confirm each before the next: that
 * would cost a group of a thousand members a thousand round trips.
 */
export class Unconfirmed implements CanvasOutlet {
  private readonly sending = new Set<Promise<void>>()
  private failure: { readonly thrown: unknown } | null = null

  constructor(private readonly outlet: CanvasOutlet) {}

  /**
   * Runs `work` with an outlet. @throws what `work` throws, or the error of a message; once nothing is on its way any
   * more
   */
  async within<Result>(work: (outlet: CanvasOutlet) => Promise<Result>): Promise<Result> {
    let result: Result
    try {
      result = await work(this)
    } finally {
      await Promise.all(this.sending)
    }
    this.check()
    return result
  }

  get replyTo(): string | null {
    return this.outlet.replyTo
  }

  get errorsOnHeader(): boolean {
    return this.outlet.errorsOnHeader
  }

  get keepsGroups(): boolean {
    return this.outlet.keepsGroups
  }

  get mostUnconfirmed(): number {
    return this.outlet.mostUnconfirmed
  }

  get mostSignatures(): number {
    return this.outlet.mostSignatures
  }

  newId(): string {
    return this.outlet.newId()
  }

  /**
   * Resolves once the next message may be sent. @throws the error of an earlier message: those after it are not sent
   */
  async send(message: CanvasMessage): Promise<void> {
    const sending: Promise<void> = this.outlet
      .send(message)
      .catch((thrown) => {
        this.failure ??= { thrown }
      })
      .finally(() => this.sending.delete(sending))
    this.sending.add(sending)
    if (this.sending.size >= this.mostUnconfirmed) await Promise.all(this.sending)
    this.check()
  }

  ensureChords(): void {
    this.outlet.ensureChords()
  }

  startChord(header: ResultNode, body: Signature): Promise<void> {
    return this.outlet.startChord(header, body)
  }

  setChordSize(groupId: string, size: number): Promise<void> {
    return this.outlet.setChordSize(groupId, size)
  }

  sent(result: ResultNode): void {
    this.outlet.sent?.(result)
  }

  private check(): void {
    if (this.failure) throw this.failure.thrown
  }
}
