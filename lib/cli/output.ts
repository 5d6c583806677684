import { styleText } from 'node:util'
import { printable } from '../protocol/printable.js'
import type { Io } from './io.js'
import { isDict, pythonJson, pythonRepr, pythonStr } from './pythonText.js'

type Style = Parameters<typeof styleText>[0]

/** The output of a command, in Celery's formats. Colours only on a terminal. */
export class Output {
  readonly quiet: boolean
  private readonly color: boolean

  constructor(
    private readonly io: Pick<Io, 'stdout' | 'stderr'>,
    { color, quiet }: { readonly color: boolean; readonly quiet: boolean },
  ) {
    this.quiet = quiet
    this.color = color && (io.stdout as { isTTY?: boolean }).isTTY === true
  }

  /** Prints a text, of one line or several, without anything that a terminal would interpret. */
  say(text: string): void {
    this.write(printable(text, { lines: true }))
  }

  error(text: string): void {
    this.io.stderr.write(`${printable(text, { lines: true })}\n`)
  }

  style(style: Style, text: string): string {
    // Whether there is a terminal has been checked already, and for the right stream.
    return this.color ? styleText(style, text, { validateStream: false }) : text
  }

  /** Prints a worker's reply: its name and whether it succeeded, followed by its content. */
  reply(nodename: string, value: unknown, { body }: { readonly body: boolean }): void {
    const { isOk, text } = this.pretty(value)
    const direction = this.quiet ? '' : `${this.style(['white', 'bold'], '->')} `
    const verdict = isOk ? this.style(['green', 'bold'], 'OK') : this.style(['red', 'bold'], 'ERROR')
    this.write(`${direction} ${this.style(['cyan', 'bold'], `${printable(nodename)}: `)}${verdict}`)
    const shown = indent(text)
    if (body && shown !== '') this.write(shown)
  }

  /** Prints how many replied. */
  online(count: number): void {
    this.say(`\n${count} ${plural(count, 'node')} online.`)
  }

  /** Writes text that is printable already, including our own colours. */
  private write(text: string): void {
    this.io.stdout.write(`${text}\n`)
  }

  private pretty(value: unknown): { isOk: boolean; text: string } {
    if (Array.isArray(value)) {
      const items = value.map((item) => `${this.style('white', '*')} ${printable(pythonStr(item))}`)
      return { isOk: true, text: items.length === 0 ? '- empty -' : items.join('\n') }
    }
    if (!isDict(value))
      return { isOk: true, text: typeof value === 'string' ? printable(value, { lines: true }) : pythonRepr(value) }
    if ('ok' in value) return { isOk: true, text: indent(this.pretty(value.ok).text) }
    if ('error' in value) return { isOk: false, text: indent(this.pretty(value.error).text) }
    return { isOk: true, text: pythonJson(value, { indent: 4, sortKeys: true }) }
  }
}

/** Celery's plural: an s for everything but one. */
export function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`
}

/** Indents every line by four spaces, including empty lines. */
function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
}
