import { coerceError } from '../../errors.js'
import { pythonStr } from '../pythonText.js'
import type { Board } from './board.js'

/** Sends a control command. @returns the workers' replies by node name @throws Error when there are none */
export type Control = (command: string, args: Readonly<Record<string, unknown>>) => Promise<Record<string, unknown>>

const ESCAPE = '\u001b'
const ENTER = '\r'
const BACKSPACE = '\u007f'
/** The most characters of a rate limit that is being typed. */
const LONGEST = 40

/** The keys of `celery events`: they move through the tasks, and send commands for the selected one. */
export class BoardKeys {
  /** The part of a rate limit that has been typed; null while nothing is asked for. */
  private typed: string | null = null

  constructor(
    private readonly board: Board,
    private readonly control: Control,
  ) {}

  /** Whether a text is being typed, so that letters are not commands. */
  get typing(): boolean {
    return this.typed !== null
  }

  /**
   * Handles a key: a character, Enter, Escape, or the escape sequence of an arrow. Resolves when its action has ended.
   * Never throws.
   */
  async press(key: string): Promise<void> {
    if (this.typed !== null) return this.type(key, this.typed)
    const { board } = this
    const { tasks } = board
    switch (key.toLowerCase()) {
      case 'j':
      case `${ESCAPE}[b`:
        return tasks.select(1)
      case 'k':
      case `${ESCAPE}[a`:
        return tasks.select(-1)
      case ESCAPE:
        board.panel = null
        return
      default:
    }
    const { selected } = tasks
    if (!selected) return
    const { fields, id, name } = selected
    const show = (title: string, text: string): void => {
      board.panel = { title: `${title} ${id}`, text }
    }
    switch (key.toLowerCase()) {
      case 'i':
      case ENTER: {
        const { runtime, state, worker } = selected
        const known = [['name', name], ['state', state], ['worker', worker], ['runtime', runtime], ...fields]
        const rest = known.filter(
          ([name], at) => name !== 'traceback' && (at < 4 || !['name', 'runtime'].includes(`${name}`)),
        )
        return show('Task details for', rest.map(([name, value]) => `${name}: ${value}`).join('\n'))
      }
      case 't':
        return show('Task Exception Traceback for', fields.get('traceback') ?? 'no traceback is known')
      case 'r':
        return show('Task Result for', fields.get('result') ?? fields.get('exception') ?? 'no result is known')
      case 'c':
        return this.command('revoke', { task_id: id })
      case 'l':
        if (name !== '') this.ask('')
        return
      default:
    }
  }

  private async type(key: string, typed: string): Promise<void> {
    const name = this.board.tasks.selected?.name
    if (key === ENTER || key === '\n') {
      this.stopAsking()
      if (typed.trim() !== '' && name !== undefined)
        await this.command('rate_limit', { task_name: name, rate_limit: typed.trim() })
    } else if (key.startsWith(ESCAPE)) this.stopAsking()
    else if (key === BACKSPACE || key === '\b') this.ask(typed.slice(0, -1))
    else this.ask(`${typed}${key}`.slice(0, LONGEST))
  }

  private ask(typed: string): void {
    this.typed = typed
    this.board.prompt = `New rate limit: ${typed}`
  }

  private stopAsking(): void {
    this.typed = null
    this.board.prompt = null
  }

  private async command(name: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    const { board } = this
    const title = 'Remote Control Command Replies'
    board.panel = { title, text: 'waiting for replies...' }
    const text = await this.control(name, args).then(repliesOf, (thrown) => coerceError(thrown).message)
    board.panel = { title, text }
  }
}

function repliesOf(replies: Record<string, unknown>): string {
  return Object.entries(replies)
    .map(([node, reply]) => {
      const { ok, error } = (reply ?? {}) as { ok?: unknown; error?: unknown }
      return `${node}: ${pythonStr(error ?? ok ?? reply)}`
    })
    .join('\n')
}
