import { randomUUID } from 'node:crypto'
import type { CanvasMessage } from '../canvas/canvasMessage.js'
import { NotImplementedError, noChords } from '../canvas/chordError.js'
import type { CanvasOutlet } from '../canvas/outlet.js'
import { type ResultNode, STORED_GENERATIONS, tupleOf } from '../canvas/resultNode.js'
import type { Backend, ChordStore } from '../ports.js'
import { addChild } from './current.js'
import type { Loan } from './loan.js'
import type { Registry } from './registry.js'
import { sendCall } from './sending.js'
import { overTask } from './sendOptions.js'
import { optionsOf } from './workflow/celeryOptions.js'

export interface CanvasOutletOptions {
  readonly way: Pick<Loan, 'hooks' | 'outlet'>
  readonly tasks: Registry
  /** The app's own reply queue. */
  readonly replyTo: string
  /** `task_ignore_result`. */
  readonly ignoresResults: boolean
  /** `task_allow_error_cb_on_chord_header`. */
  readonly errorsOnHeader: boolean
  /** `worker_max_canvas_items`. */
  readonly mostSignatures: number
  /** Whether a group of one at the end of a chain stays a group. */
  readonly keepsGroups: boolean
  /**
   * Whether a message waits until the broker has it, whatever its signature says: the messages that follow from a task
   * must not be lost.
   */
  readonly isPatient?: boolean
}

const MOST_UNCONFIRMED = 1000

/** Sends the messages of an app's canvases. */
export class AppCanvasOutlet implements CanvasOutlet {
  readonly replyTo: string
  readonly errorsOnHeader: boolean
  readonly mostSignatures: number
  readonly keepsGroups: boolean

  constructor(private readonly options: CanvasOutletOptions) {
    this.replyTo = options.replyTo
    this.errorsOnHeader = options.errorsOnHeader
    this.mostSignatures = options.mostSignatures
    this.keepsGroups = options.keepsGroups
  }

  /** Hooks that the app waits for must not change the order of messages. */
  get mostUnconfirmed(): number {
    return this.options.way.hooks.any ? 1 : MOST_UNCONFIRMED
  }

  newId(): string {
    return randomUUID()
  }

  async send(message: CanvasMessage): Promise<void> {
    const { ignoresResults, isPatient, replyTo, tasks, way } = this.options
    const { args, id, kwargs, task } = message
    const known = tasks.get(task)
    const { retry: _, retryPolicy: __, ...patient } = optionsOf(message)
    const said = isPatient ? patient : optionsOf(message)
    const options = known ? overTask({ ignoreResult: ignoresResults, ...known.options }, said) : said
    const inner = routedAs(message)
    await sendCall(way, {
      id,
      task,
      args,
      kwargs,
      options,
      replyTo,
      ...(inner === null ? {} : { routeAs: inner }),
      canvas: { ...message.canvas, timelimit: [options.timeLimit ?? null, options.softTimeLimit ?? null] },
    })
  }

  ensureChords(): void {
    this.chords()
  }

  /**
   * Only a header with groups in it is kept: members of other headers report their results one by one. Mirrors redis's
   * `apply_chord`.
   */
  async startChord(header: ResultNode): Promise<void> {
    if (header.children?.some(({ children }) => children !== null)) {
      await this.backend.groups?.save(header.id, tupleOf(header, STORED_GENERATIONS))
    }
  }

  async setChordSize(groupId: string, size: number): Promise<void> {
    await this.chords().setSize(groupId, size)
  }

  /** @throws NotImplementedError; what the backend throws: then the members must not be sent */
  async growChord(groupId: string, by: number): Promise<void> {
    const { chords, name } = this.backend
    if (!chords) throw new NotImplementedError(`Backend does not support add_to_chord: ${name}`)
    await chords.grow(groupId, by)
  }

  sent(result: ResultNode): void {
    addChild(() => tupleOf(result, STORED_GENERATIONS))
  }

  private get backend(): Backend {
    return this.options.way.outlet.backend
  }

  /** @throws NotImplementedError with Python's text */
  private chords(): ChordStore {
    const { chords } = this.backend
    if (chords) return chords
    throw noChords(this.backend)
  }
}

/** Celery routes a task like `celery.map` by the task that it calls. */
function routedAs({ kwargs, task }: CanvasMessage): string | null {
  if (task !== 'celery.map' && task !== 'celery.starmap') return null
  const name = (kwargs.task as { task?: unknown } | null | undefined)?.task
  return typeof name === 'string' ? name : null
}
