import { randomUUID } from 'node:crypto'
import { type Command, InvalidArgumentError } from 'commander'
import { routeTask } from '../../app/router.js'
import { coerceError } from '../../errors.js'
import type { OutgoingMessage } from '../../protocol/amqp.js'
import { dumps } from '../../protocol/content/content.js'
import { readJson } from '../../protocol/content/json.js'
import { serializerFor, serializerNames } from '../../protocol/content/serializers.js'
import { encodeTask, sentTime } from '../../protocol/encode.js'
import { parseTime } from '../../protocol/time.js'
import { queueNamed } from '../../settings/queues.js'
import { readSeconds } from '../askWorkers.js'
import type { Client } from '../client.js'
import type { Perform } from '../perform.js'
import { isDict, pythonJson, pythonRepr, readPythonJson } from '../pythonText.js'
import { UsageError } from '../usage.js'

interface CallOptions {
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly eta?: Date
  /** Seconds from now. */
  readonly countdown?: number
  readonly expires?: Date
  readonly serializer: string
  readonly queue?: string
  readonly exchange?: string
  readonly routingKey?: string
}

/** The body of a task is a list, which `raw` can't encode. */
const structured = (): string =>
  serializerNames()
    .filter((name) => name !== 'raw')
    .join(', ')
const NO_EMBED = { callbacks: null, errbacks: null, chain: null, chord: null }
/** Celery's limit for texts that are only logged. */
const LONGEST_REPR = 1024

/** `celeriac call`: sends a task by its name, and prints its id. */
export function addCall(program: Command, perform: Perform): void {
  program
    .command('call')
    .description('Call a task by name.')
    .argument('<name>', 'the name of the task')
    .optionsGroup('Calling Options:')
    .option('-a, --args <json>', 'Positional arguments, a JSON array.', readArray, [])
    .option('-k, --kwargs <json>', 'Keyword arguments, a JSON object.', readObject, {})
    .option('--eta <time>', 'Earliest time of the run, ISO 8601; UTC without an offset.', readTime)
    .option('--countdown <seconds>', 'Seconds to wait before the run.', readCountdown)
    .option('--expires <time>', 'Latest time of the run, ISO 8601 or seconds from now.', readExpiry)
    .option('--serializer <name>', `${structured()}, or one that the app registers.`, 'json')
    .optionsGroup('Routing Options:')
    .option('--queue <name>', 'Queue to send the task to.')
    .option('--exchange <name>', 'Exchange to send the task to.')
    .option('--routing-key <key>', 'Routing key of the message.')
    .action((name: string, options: CallOptions) => perform((client) => call(client, name, options)))
}

async function call(client: Client, name: string, options: CallOptions): Promise<number> {
  const { output, settings } = client
  const { countdown, eta, exchange, expires, queue, routingKey, serializer } = options
  // The app, which may have registered it, is only loaded now.
  if (!serializerFor(serializer)) {
    throw new UsageError(`--serializer ${JSON.stringify(serializer)}: expected one of ${structured()}`)
  }
  const id = randomUUID()
  const route = routeTask(
    name,
    {
      ...(queue === undefined ? {} : { queue }),
      ...(exchange === undefined ? {} : { exchange }),
      ...(routingKey === undefined ? {} : { routingKey }),
    },
    settings,
  )
  const message = encodeTask({
    id,
    task: name,
    args: [],
    kwargs: {},
    // The body is encoded separately.
    route: { ...route, serializer: 'json', compression: null },
    eta: countdown === undefined ? (eta ?? null) : new Date(Date.now() + countdown * 1000),
    expires: expires ?? null,
    rootId: id,
    parentId: null,
    replyTo: randomUUID(),
    headers: {},
  })
  const broker = client.broker()
  try {
    if (route.queue !== null) await broker.declare(queueNamed(route.queue, settings))
    await broker.publisher.publish(withArguments(message, options))
  } finally {
    await broker.publisher.stop()
  }
  output.say(id)
  return 0
}

/** The arguments as they were typed: a `1.0` reaches Python as a float, a long integer with all its digits. */
function withArguments(message: OutgoingMessage, { args, kwargs, serializer }: CallOptions): OutgoingMessage {
  const body = pythonJson([args, kwargs, NO_EMBED])
  const content = serializer === 'json' ? { content: Buffer.from(body) } : dumps(readJson(body), serializer)
  const { content: bytes, ...types } = content
  const tuple = args.length === 1 ? `(${pythonRepr(args[0])},)` : `(${pythonRepr(args).slice(1, -1)})`
  const headers = { ...message.properties.headers, argsrepr: cut(tuple), kwargsrepr: cut(pythonRepr(kwargs)) }
  return { ...message, content: bytes, properties: { ...message.properties, ...types, headers } }
}

function cut(text: string): string {
  return text.length > LONGEST_REPR ? `${text.slice(0, LONGEST_REPR - 3)}...` : text
}

function readJsonText(text: string, example: string): unknown {
  try {
    return readPythonJson(text)
  } catch (thrown) {
    throw new InvalidArgumentError(`${coerceError(thrown).message}. Expected ${example}`)
  }
}

function readArray(text: string): unknown[] {
  const value = readJsonText(text, `a JSON array, such as '[1, "two"]'`)
  if (Array.isArray(value)) return value
  throw new InvalidArgumentError(`${text} was not an array`)
}

function readObject(text: string): Record<string, unknown> {
  const value = readJsonText(text, `a JSON object, such as '{"name": "value"}'`)
  if (isDict(value)) return value
  throw new InvalidArgumentError(`${text} was not an object`)
}

function readTime(text: string): Date {
  const time = parseTime(text)
  if (time === null) throw new InvalidArgumentError(`unable to parse date string '${text}'`)
  return new Date(time)
}

function readExpiry(text: string): Date {
  const seconds = Number(text)
  if (text.trim() === '' || !Number.isFinite(seconds)) return readTime(text)
  return fromNow(seconds)
}

function readCountdown(text: string): number {
  const seconds = readSeconds(text)
  fromNow(seconds)
  return seconds
}

/** @throws InvalidArgumentError for a time that has no text in a message */
function fromNow(seconds: number): Date {
  const time = new Date(Date.now() + seconds * 1000)
  try {
    sentTime(time.getTime())
  } catch (thrown) {
    throw new InvalidArgumentError(coerceError(thrown).message)
  }
  return time
}
