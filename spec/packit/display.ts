import type { WriteStream } from 'node:tty'

/** How often a line is printed where it can't be updated in place. */
const PLAIN_INTERVAL_MS = 2000
const CLEAR_LINE = '\r\u001b[K'

/** One line that is updated in place on a terminal, and printed now and then where there is none; and lines that stay. */
export class Display {
  private shownAt = Number.NEGATIVE_INFINITY
  private updating = false

  constructor(private readonly output: Pick<WriteStream, 'isTTY' | 'columns' | 'write'>) {}

  /** Columns of the terminal, 80 where there is none. */
  get width(): number {
    return this.output.isTTY ? this.output.columns : 80
  }

  status(line: string): void {
    if (this.output.isTTY) {
      this.output.write(`${CLEAR_LINE}${line.slice(0, this.width - 1)}`)
      this.updating = true
      return
    }
    if (performance.now() - this.shownAt < PLAIN_INTERVAL_MS) return
    this.shownAt = performance.now()
    this.output.write(`${line}\n`)
  }

  print(line = ''): void {
    this.output.write(`${this.updating ? CLEAR_LINE : ''}${line}\n`)
    this.updating = false
    this.shownAt = Number.NEGATIVE_INFINITY
  }
}
