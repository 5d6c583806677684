/*
 * AMQP field tables, byte by byte: whatever a stranger's client may write, the types that amqplib can't write and what is wrong among them.
 */

/** A value with its type before it. */
export type RawValue = Buffer

export const uint8 = (value: number): Buffer => Buffer.from([value & 0xff])
export const uint16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff])

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** Also for what is signed. */
export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value))
  return bytes
}

export function double(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}

export const raw = (type: string, ...parts: Buffer[]): RawValue =>
  Buffer.concat([Buffer.from(type, 'latin1'), ...parts])

/** A short string. @param length what it says of itself */
export function short(text: string | Buffer, length?: number): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([uint8(length ?? bytes.length), bytes])
}

export function long(type: 'S' | 'x' | 'A' | 'F', content: string | Buffer, length?: number): RawValue {
  const bytes = Buffer.from(content)
  return raw(type, uint32(length ?? bytes.length), bytes)
}

export const text = (value: string | Buffer): RawValue => long('S', value)
export const int32 = (value: number): RawValue => raw('I', uint32(value))
export const nothing: RawValue = raw('V')
export const list = (...values: RawValue[]): RawValue => long('A', Buffer.concat(values))
export const entries = (fields: Readonly<Record<string, RawValue>>): Buffer =>
  Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [short(name), value]))
export const table = (fields: Readonly<Record<string, RawValue>>): RawValue => long('F', entries(fields))

/** Lists in lists, or tables in tables. */
export function nested(type: 'A' | 'F', depth: number): RawValue {
  const heads: Buffer[] = []
  let length = 0
  for (let level = 0; level < depth; level++) {
    const head = type === 'A' ? long('A', '', length) : Buffer.concat([long('F', '', length)])
    heads.push(head)
    length += head.length
    if (type === 'F' && level < depth - 1) {
      heads.push(short('d'))
      length += 2
    }
  }
  return Buffer.concat(heads.reverse())
}

/** What Celery's clients send in protocol 2. */
export function taskHeaders(task: string, id: string): Record<string, RawValue> {
  return {
    lang: text('py'),
    task: text(task),
    id: text(id),
    root_id: text(id),
    parent_id: nothing,
    retries: int32(0),
    eta: nothing,
    expires: nothing,
  }
}

/** The properties of a header frame: flags, then each in AMQP's order. */
export interface RawProperties {
  readonly contentType?: Buffer
  readonly contentEncoding?: Buffer
  /** With its length before it. */
  readonly headers?: Buffer
  readonly deliveryMode?: Buffer
  readonly priority?: Buffer
  readonly correlationId?: Buffer
  readonly replyTo?: Buffer
  readonly expiration?: Buffer
  readonly messageId?: Buffer
  readonly timestamp?: Buffer
  readonly type?: Buffer
  readonly userId?: Buffer
  readonly appId?: Buffer
  readonly clusterId?: Buffer
}

const ORDER = [
  'contentType',
  'contentEncoding',
  'headers',
  'deliveryMode',
  'priority',
  'correlationId',
  'replyTo',
  'expiration',
  'messageId',
  'timestamp',
  'type',
  'userId',
  'appId',
  'clusterId',
] as const

export function rawProperties(properties: RawProperties): Buffer {
  let flags = 0
  const parts: Buffer[] = []
  for (const [at, name] of ORDER.entries()) {
    const bytes = properties[name]
    if (!bytes) continue
    flags |= 1 << (15 - at)
    parts.push(bytes)
  }
  return Buffer.concat([uint16(flags), ...parts])
}

/** The field `headers`: a table with its length before it. */
export const headerTable = (fields: Readonly<Record<string, RawValue>>): Buffer => table(fields).subarray(1)

/** JSON with these headers, as Celery's clients send it. */
export function jsonProperties(fields: Readonly<Record<string, RawValue>>): RawProperties {
  return { contentType: short('application/json'), contentEncoding: short('utf-8'), headers: headerTable(fields) }
}

/** A whole frame: of a method 1, of a content's header 2, of its body 3. */
export const frame = (type: number, channel: number, payload: Buffer): Buffer =>
  Buffer.concat([uint8(type), uint16(channel), uint32(payload.length), payload, uint8(0xce)])
