import type { AmqpProperties, OutgoingMessage } from '../../../lib/protocol/amqp.js'
import { taskMessage } from '../../support/message.js'

/** By where their keys come from: the task's option for the first three, then the setting `task_order_by`, and the message's header. */
export const TASKS = ['job', 'strict', 'limited', 'routed', 'headed', 'late', 'plain'] as const
export type TaskName = (typeof TASKS)[number]
export type Path = readonly string[]

/** A message over its whole life: ready in the queue, out with a consumer until that has settled it, or done. */
export interface Message {
  /** Its place in the queue, where it goes back to as well. */
  readonly position: number
  readonly id: string
  readonly task: TaskName
  /** Null for no order. */
  readonly path: Path | null
  readonly properties: AmqpProperties
  readonly content: Buffer
  /** Wall-clock milliseconds. */
  readonly eta: number | null
  readonly expires: number | null
  where: 'ready' | 'out' | 'done'
  /** Done by the end of a run, and not because it was revoked or too late. */
  hasRun: boolean
}

/** Whether it is acknowledged after its run. */
export function isLate({ path, task }: Message): boolean {
  return path !== null || task === 'late'
}

/** The broker's one queue. What comes back takes its old place. */
export class ModelQueue {
  readonly messages: Message[] = []
  private ready: Message[] = []

  get size(): number {
    return this.ready.length
  }

  /** Times are wall-clock milliseconds. */
  publish(task: TaskName, wanted: Path | null, eta: number | null, expires: number | null): void {
    const path = task === 'late' || task === 'plain' ? null : wanted
    const [one, two, three] = path ?? []
    const id = `m${this.messages.length}`
    const kwargs = task === 'routed' ? { one, two, three } : task === 'headed' ? {} : { path: path ?? undefined }
    const { properties, content } = taskMessage(task, {
      id,
      kwargs,
      headers: {
        eta: eta === null ? null : new Date(eta).toISOString(),
        expires: expires === null ? null : new Date(expires).toISOString(),
        ...(task === 'headed' ? { order_key: path } : {}),
      },
    })
    this.add({ id, task, path, properties, content, eta, expires })
  }

  /** Takes what the line itself publishes: a retry that gives its place up. */
  publishAgain({ content, properties }: OutgoingMessage): void {
    const { id, eta, expires } = properties.headers ?? {}
    const first = this.messages.find((message) => message.id === id)
    if (!first) throw new Error(`${id} was published from nothing`)
    const time = (text: unknown): number | null => (typeof text === 'string' ? Date.parse(text) : null)
    this.add({ ...first, properties, content, eta: time(eta), expires: time(expires) })
  }

  take(): Message | undefined {
    const taken = this.ready.shift()
    if (taken) taken.where = 'out'
    return taken
  }

  requeue(message: Message): void {
    message.where = 'ready'
    const at = this.ready.findIndex(({ position }) => position > message.position)
    this.ready.splice(at < 0 ? this.ready.length : at, 0, message)
  }

  private add(message: Omit<Message, 'position' | 'where' | 'hasRun'>): void {
    const added: Message = { ...message, position: this.messages.length, where: 'ready', hasRun: false }
    this.messages.push(added)
    this.ready.push(added)
  }
}
