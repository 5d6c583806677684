import {
  double,
  headerTable,
  int32,
  list,
  long,
  nested,
  nothing,
  type RawProperties,
  type RawValue,
  raw,
  rawProperties,
  short,
  table,
  taskHeaders,
  text,
  uint8,
  uint16,
  uint32,
  uint64,
} from './rawTable.js'

/** A message of the fuzz, without its way. */
export interface Fuzzed {
  readonly properties: Buffer
  readonly body: Buffer
}

const NAMES =
  'task id retries eta expires timelimit root_id parent_id group shadow argsrepr kwargsrepr ignore_result compression stamps stamped_headers order_key x-delivery-count x-death clock hostname __proto__ constructor toString ! value'.split(
    ' ',
  )
const TYPES = [
  'application/json',
  'application/x-yaml',
  'application/x-msgpack',
  'application/x-python-serialize',
  'text/plain',
  '',
]
const BODIES = [
  '',
  '{',
  '[]',
  '[[], {}, null]',
  '[[], {}, {"chain": 1}]',
  '{"task": "spec.ok", "id": 1}',
  '[[1], {"a": 1}, {}]',
  '"x"',
  'null',
  '\u0000',
  '[NaN, Infinity]',
  '[[{"__type__": "datetime", "__value__": "x"}], {}, null]',
]
/** One in so many is of a kind that a broker may refuse, at the price of the connection. */
const ILL_FORMED = 400

/** Messages of every kind, the same for the same seed: a linear congruential generator is random enough. */
export class Fuzz {
  constructor(private state: number) {}

  /** A whole number from 0 to `below` - 1. */
  number(below: number): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.state / 2 ** 32) * below)
  }

  message(): Fuzzed {
    return { properties: this.properties(this.taskish()), body: this.body() }
  }

  control(): Fuzzed {
    const method = this.of(['ping', 'hello', 'election', 'revoke', 'stats', 'nothing', ''])
    const reply = {
      exchange: this.of(['reply.celery.pidbox', 'amq.rabbitmq.trace', 'x'.repeat(300)]),
      routing_key: 'x'.repeat(this.number(300)),
    }
    const fields = {
      method,
      arguments: this.of([
        {},
        [],
        null,
        { revoked: { x: 1 }, from_node: 'x@y', id: 1, topic: 't' },
        { task_id: ['a'] },
      ]),
      destination: this.of([null, [], ['x@y'], 7]),
      ticket: 'x'.repeat(this.number(400)),
      reply_to: this.of([null, reply]),
    }
    return {
      properties: this.properties(this.table(3)),
      body: this.of([Buffer.from(JSON.stringify(fields)), this.body()]),
    }
  }

  event(): Fuzzed {
    const type = this.of(['worker-heartbeat', 'worker-elect', 'worker-elect-ack', 'worker-offline', 'task-sent', ''])
    const fields = {
      type,
      hostname: this.of(['a@b', 'x'.repeat(this.number(5000)), 7]),
      clock: this.of([1, -1, 2 ** 50, 'x', null]),
      pid: this.of([1, 'x', null]),
      freq: this.of([2, -1, 1e300]),
      id: this.of(['a', 1, {}]),
      topic: this.of(['task', {}]),
      action: this.of([null, 'x']),
    }
    return {
      properties: this.properties(this.table(3)),
      body: this.of([Buffer.from(JSON.stringify(this.of([fields, [fields, fields]]))), this.body()]),
    }
  }

  private of<T>(values: readonly T[]): T {
    return values[this.number(values.length)] as T
  }

  private bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.number(256)))
  }

  private taskish(): Record<string, RawValue> {
    const fields =
      this.number(4) === 0 ? {} : taskHeaders(this.of(['spec.ok', 'spec.nobody', '__proto__']), `f${this.number(1e9)}`)
    return { ...fields, ...this.table(2) }
  }

  private table(most: number): Record<string, RawValue> {
    const fields = Array.from(
      { length: this.number(most + 1) },
      () => [this.of([...NAMES, 'x'.repeat(this.number(256))]), this.value(3)] as const,
    )
    return Object.fromEntries(fields)
  }

  private value(depth: number): RawValue {
    const kind = this.number(depth > 0 ? 22 : 17)
    const bits = uint64(BigInt(this.of([0, 1, -1, 2 ** 31, 2 ** 53, -(2 ** 53)])) * BigInt(this.of([1, 3, 1023])))
    const makers: ReadonlyArray<() => RawValue> = [
      () => raw('t', uint8(this.number(3))),
      () => raw('b', uint8(this.number(256))),
      () => raw('B', uint8(this.number(256))),
      () => raw('s', uint16(this.number(65_536))),
      () => raw('u', uint16(this.number(65_536))),
      () => int32(this.number(2 ** 32)),
      () => raw('i', uint32(this.number(2 ** 32))),
      () => raw('l', bits),
      () => raw('L', bits),
      () => raw('f', this.bytes(4)),
      () => raw('d', this.of([double(0.5), double(Number.NaN), this.bytes(8)])),
      () => raw('D', this.bytes(5)),
      () => raw('T', bits),
      () => nothing,
      () => text(this.bytes(this.number(40))),
      () => text(this.of(['x', '', 'spec.ok', '2026-01-01T00:00:00', '12', '\u0000', '\ud83d\ude00'])),
      () => long('x', this.bytes(this.number(40))),
      () => list(...Array.from({ length: this.number(4) }, () => this.value(depth - 1))),
      () => table(this.table(2)),
      () => nested(this.of(['A', 'F']), this.of([1, 50, 199, 300, 1100])),
      () => list(...Array.from({ length: this.of([10, 1100]) }, () => nothing)),
      () => table({ '!': this.value(0), value: this.value(0) }),
    ]
    return (makers[kind] as () => RawValue)()
  }

  private properties(fields: Record<string, RawValue>): Buffer {
    if (this.number(ILL_FORMED) === 0) return this.illFormed(fields)
    const properties: RawProperties = {
      ...(this.number(8) === 0 ? {} : { contentType: short(this.of(TYPES)) }),
      ...(this.number(8) === 0 ? {} : { contentEncoding: short(this.of(['utf-8', 'binary', 'latin-1', 'klingon'])) }),
      headers: headerTable(fields),
      ...(this.number(2) === 0 ? { deliveryMode: uint8(1 + this.number(2)) } : {}),
      ...(this.number(2) === 0 ? { priority: uint8(this.number(256)) } : {}),
      ...(this.number(3) === 0 ? { correlationId: short(this.bytes(this.number(256))) } : {}),
      ...(this.number(3) === 0 ? { replyTo: short(this.of(['', 'nobody', this.bytes(255)])) } : {}),
      ...(this.number(5) === 0 ? { messageId: short(this.bytes(20)) } : {}),
      ...(this.number(5) === 0 ? { timestamp: this.bytes(8) } : {}),
      ...(this.number(5) === 0 ? { type: short('t') } : {}),
      ...(this.number(5) === 0 ? { appId: short(this.bytes(9)) } : {}),
    }
    return rawProperties(properties)
  }

  /** Lengths that lie, types that nobody knows, ends in the middle. */
  private illFormed(fields: Record<string, RawValue>): Buffer {
    const odd = this.of([
      headerTable({ ...fields, a: long('S', 'x', this.number(100)) }),
      headerTable({ ...fields, a: raw(String.fromCharCode(this.number(256)), this.bytes(8)) }),
      headerTable({ ...fields, a: long('A', this.bytes(9), this.number(20)) }),
      headerTable({ ...fields, deep: nested(this.of(['A', 'F']), 9000) }),
      headerTable(fields).subarray(0, 5),
      headerTable({ ...fields, CC: this.value(1) }),
    ])
    return this.of([
      rawProperties({ headers: odd }),
      rawProperties({ headers: odd, expiration: short('x') }),
      this.bytes(12),
    ])
  }

  private body(): Buffer {
    return this.number(4) === 0 ? this.bytes(this.number(200)) : Buffer.from(this.of(BODIES))
  }
}
