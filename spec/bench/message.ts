import { randomUUID } from 'node:crypto'
import type { Options } from 'amqplib'

/** A task's message, ready to be published. */
export interface BenchMessage {
  readonly content: Buffer
  readonly properties: Options.Publish
}

const EMBED = { callbacks: null, errbacks: null, chain: null, chord: null }

/**
 * A message of Celery's protocol 2 with the headers that Python's client sends.
 * @param replyTo for results that are sent as messages
 */
export function taskMessage(
  task: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  { replyTo, ignoreResult = false }: { replyTo?: string; ignoreResult?: boolean } = {},
): BenchMessage {
  const id = randomUUID()
  return {
    content: Buffer.from(JSON.stringify([args, kwargs, EMBED])),
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
        eta: null,
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
  return JSON.stringify(value).replaceAll('"', "'")
}
