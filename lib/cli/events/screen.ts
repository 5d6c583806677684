import { styleText } from 'node:util'
import type { Input } from '../input.js'
import type { Io } from '../io.js'
import type { BoardLine } from './board.js'

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const TO_END_OF_LINE = '\u001b[K'
const TO_END_OF_SCREEN = '\u001b[J'
const CTRL_C = '\u0003'
/** An arrow, or any one character; what a terminal sends at once may be several. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys are such characters.
const KEYS = /\u001b\[[A-D]|./gsu

type Terminal = Io['stdout'] & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number }

/** Whether there is a terminal to draw on. */
export function isTerminal(stdout: Io['stdout']): boolean {
  return (stdout as Terminal).isTTY === true
}

/** The whole terminal, redrawn each time; its previous content is restored at the end. */
export class Screen {
  private closed = false

  /** @param onKey called for each key but Ctrl+C @param onQuit called for that */
  constructor(
    private readonly stdout: Terminal,
    private readonly input: Input,
    private readonly onKey: (key: string) => void,
    private readonly onQuit: () => void,
  ) {}

  open(): void {
    this.stdout.write(ENTER)
    if (!this.input.isTTY) return
    this.input.setRawMode?.(true)
    this.input.on('data', this.onKeys).resume()
  }

  /** A terminal of unknown size says 0. */
  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.stdout.columns || 80, rows: this.stdout.rows || 24 }
  }

  draw(lines: readonly BoardLine[]): void {
    if (this.closed) return
    const drawn = lines.map((line) => styled(line) + TO_END_OF_LINE)
    this.stdout.write(`${HOME}${drawn.join('\r\n')}${TO_END_OF_SCREEN}`)
  }

  /** Idempotent. */
  close(): void {
    if (this.closed) return
    this.closed = true
    if (this.input.isTTY) {
      this.input.off('data', this.onKeys).pause()
      this.input.setRawMode?.(false)
    }
    this.stdout.write(LEAVE)
  }

  private readonly onKeys = (keys: Buffer | string): void => {
    for (const [key] of String(keys).matchAll(KEYS)) {
      if (key === CTRL_C) this.onQuit()
      else this.onKey(key)
    }
  }
}

function styled({ heading, selected, text }: BoardLine): string {
  if (!heading && selected !== true) return text
  return styleText(heading ? 'bold' : 'inverse', text, { validateStream: false })
}
