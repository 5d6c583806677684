import type { AmqpProperties, AmqpTable } from './amqp.js'

/** Keyword arguments by name. */
export type Kwargs = Record<string, unknown>

/** A signature dict as it is sent. */
export type SignatureDict = Record<string, unknown>

/** The third element of a protocol 2 body. */
export interface Embed {
  readonly callbacks: readonly SignatureDict[] | null
  readonly errbacks: readonly SignatureDict[] | null
  /** Rest of the chain, next step last. */
  readonly chain: readonly SignatureDict[] | null
  readonly chord: SignatureDict | null
}

/** A task message with every field checked, whatever protocol it came in. */
export interface TaskMessage {
  readonly id: string
  /** The registered name of the task to run. */
  readonly task: string
  /** Name shown instead of `task` in logs and statistics, if the sender gave one. */
  readonly shadow: string | null
  readonly args: readonly unknown[]
  readonly kwargs: Kwargs
  readonly embed: Embed
  readonly retries: number
  /** Wall-clock milliseconds. */
  readonly eta: number | null
  /** Wall-clock milliseconds. */
  readonly expires: number | null
  /** Seconds, hard limit first, as in the header. */
  readonly timelimit: readonly [hard: number | null, soft: number | null]
  readonly rootId: string
  readonly parentId: string | null
  readonly group: string | null
  readonly argsrepr: string | null
  readonly kwargsrepr: string | null
  readonly ignoreResult: boolean | null
  /** All headers as they were received, custom ones too: a retry sends them again. */
  readonly headers: AmqpTable
  readonly properties: AmqpProperties
}
