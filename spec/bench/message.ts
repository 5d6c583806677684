import { randomUUID } from 'node:crypto'
import type { Options } from 'amqplib'

/** A task's message, ready to be published. */
export interface BenchMessage {
  readonly content: Buffer
  readonly properties: Options.Publish
}

const EMBED = { callbacks: null, errbacks: null, chain: null, chord: null }

interface MessageOptions {
  readonly eta?: Date
  readonly replyTo?: string
  readonly ignoreResult?: boolean
  readonly chain?: readonly unknown[] | null
}

/** How many characters of the arguments Python's client writes into the headers. */
const LONGEST_REPR = 1024

/**
 * A message of Celery's protocol 2 with the headers that Python's client sends.
 * @param replyTo for results that are sent as messages
 * @param eta not before this time
 * @param chain signatures of what comes after it, the last one first
 */
export function taskMessage(
  task: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  { chain = null, eta, replyTo, ignoreResult = false }: MessageOptions = {},
): BenchMessage {
  const id = randomUUID()
  return {
    content: Buffer.from(JSON.stringify([args, kwargs, { ...EMBED, chain }])),
    properties: {
      persistent: true,
      priority: 0,
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      correlationId: id,
      ...(replyTo === undefined ? {} : { replyTo }),
      headers: {
        lang: 'py',
        task,
        id,
        shadow: null,
        eta: eta?.toISOString() ?? null,
        expires: null,
        group: null,
        group_index: null,
        retries: 0,
        timelimit: [null, null],
        root_id: id,
        parent_id: null,
        argsrepr: repr(args),
        kwargsrepr: repr(kwargs),
        origin: 'gen1@bench',
        ignore_result: ignoreResult,
      },
    },
  }
}

/** Near enough to Python's: workers only log it. */
function repr(value: unknown): string {
  return JSON.stringify(value).replaceAll('"', "'").slice(0, LONGEST_REPR)
}
