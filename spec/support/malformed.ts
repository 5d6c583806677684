import type { AmqpProperties } from '../../lib/protocol/amqp.js'
import { taskMessage } from './message.js'

type Message = { properties: AmqpProperties; content: Buffer }
type Mutation = (message: Message, n: number) => Message

const header =
  (name: string, value: unknown): Mutation =>
  ({ properties, content }) => ({
    properties: { ...properties, headers: { ...properties.headers, [name]: value } },
    content,
  })

const without =
  (name: string): Mutation =>
  ({ properties, content }) => {
    const { [name]: _, ...headers } = properties.headers ?? {}
    return { properties: { ...properties, headers }, content }
  }

const body =
  (content: Buffer | string | unknown[] | object): Mutation =>
  ({ properties }) => ({
    properties,
    content: Buffer.isBuffer(content)
      ? content
      : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
  })

const property =
  (name: keyof AmqpProperties, value: unknown): Mutation =>
  ({ properties, content }) => ({ properties: { ...properties, [name]: value }, content })

/** Cut somewhere in its middle, each time elsewhere. */
const truncated: Mutation = ({ properties, content }, n) => ({
  properties,
  content: content.subarray(0, 1 + (n % (content.length - 1))),
})

const embed = { callbacks: null, errbacks: null, chain: null, chord: null }
const nested = (depth: number): string => `[[${'['.repeat(depth)}${']'.repeat(depth)}], {}, null]`

/** Every way in which a task message is made unfit to run. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'no task': without('task'),
  'no id': without('id'),
  'no headers': ({ content, properties }) => ({ properties: { ...properties, headers: {} }, content }),
  'empty task': header('task', ''),
  'number for a task': header('task', 7),
  'null for a task': header('task', null),
  'list for a task': header('task', ['spec.ok']),
  'unregistered task': header('task', 'spec.nobody'),
  'task of the prototype': header('task', '__proto__'),
  'too many headers': header('list', Array(1001).fill('x')),
  'number for an id': header('id', 12),
  'empty id': header('id', ''),
  'object for an id': header('id', { a: 1 }),
  'text for retries': header('retries', 'three'),
  'negative retries': header('retries', -1),
  'half a retry': header('retries', 1.5),
  'number for an eta': header('eta', 1234567890),
  'garbage for an eta': header('eta', 'tomorrow'),
  'impossible eta': header('eta', '2026-13-45T99:99:99'),
  'list for expires': header('expires', []),
  'garbage for expires': header('expires', '12 o clock'),
  'text for timelimit': header('timelimit', '10'),
  'one timelimit': header('timelimit', [10]),
  'text in timelimit': header('timelimit', ['10', null]),
  'unknown compression': header('compression', 'application/x-nothing'),
  'no content type': property('contentType', undefined),
  pickle: property('contentType', 'application/x-python-serialize'),
  'unknown content type': property('contentType', 'text/html'),
  truncated: truncated,
  'empty body': body(Buffer.alloc(0)),
  'random bytes': body(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28])),
  'bad charset': body(Buffer.from([0x5b, 0x22, 0xc3, 0x28, 0x22, 0x5d])),
  'no JSON': body('not json{'),
  'two parts': body([[], {}]),
  'four parts': body([[], {}, embed, 1]),
  'object body': body({ args: [], kwargs: {} }),
  'null body': body('null'),
  'number body': body('42'),
  'object args': body([{ x: 1 }, {}, embed]),
  'list kwargs': body([[], [1], embed]),
  'text kwargs': body([[], 'x', embed]),
  'list embed': body([[], {}, []]),
  'text callbacks': body([[], {}, { callbacks: 'x' }]),
  'numbers in chain': body([[], {}, { chain: [1] }]),
  'text chord': body([[], {}, { chord: 'x' }]),
  'deep body': body(nested(5000)),
  'very deep body': body('['.repeat(60_000)),
  'huge body': body([['x'.repeat(80_000)], {}, embed]),
}

/** So many bad messages, every kind in turn. */
export function* malformed(count: number): Generator<Message & { kind: string }> {
  const kinds = Object.entries(MUTATIONS)
  for (let n = 0; n < count; n++) {
    const [kind, mutate] = kinds[n % kinds.length] as [string, Mutation]
    yield { kind, ...mutate(taskMessage('spec.ok', { args: [n] }), n) }
  }
}
