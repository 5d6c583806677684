import { encodeResult, type ResultMeta } from '../protocol/result.js'

export interface AllowanceOptions {
  readonly limit: number
  readonly limitBytes: number
  /** Called with true when a limit is reached, and with false once half of both is free again, so that it doesn't flap. */
  readonly onFull: (full: boolean) => void
}

/** How much is held against how much may be. Nothing is refused: at a limit it says so. */
export class Allowance {
  private count = 0
  private bytes = 0
  private isFull = false

  constructor(private readonly options: AllowanceOptions) {}

  get held(): number {
    return this.count
  }

  get full(): boolean {
    return this.isFull
  }

  change(count: number, bytes: number): void {
    this.count += count
    this.bytes += bytes
    const share = Math.max(this.count / this.options.limit, this.bytes / this.options.limitBytes)
    if (this.isFull ? share > 0.5 : share < 1) return
    this.isFull = !this.isFull
    this.options.onFull(this.isFull)
  }
}

/** What a waiting result is counted as: the length of the text that it will be. */
export function weightOf(meta: ResultMeta): number {
  try {
    return encodeResult(meta).length
  } catch {
    // It can't be written, and will be refused as soon as it is tried.
    return 1
  }
}
