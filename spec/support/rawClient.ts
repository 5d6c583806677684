import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { frame, type RawProperties, rawProperties, short, text, uint8, uint16, uint32, uint64 } from './rawTable.js'

const METHOD = 1
const HEADER = 2
const BODY = 3
const FRAME_MAX = 131_072

/** Class and method in one number. */
const START = 0x000a_000a
const START_OK = 0x000a_000b
const TUNE = 0x000a_001e
const TUNE_OK = 0x000a_001f
const OPEN = 0x000a_0028
const OPEN_OK = 0x000a_0029
const CLOSE = 0x000a_0032
const CLOSE_OK = 0x000a_0033
const CHANNEL_OPEN = 0x0014_000a
const CHANNEL_OPEN_OK = 0x0014_000b
const CHANNEL_CLOSE = 0x0014_0028
const CONFIRM_SELECT = 0x0055_000a
const CONFIRM_SELECT_OK = 0x0055_000b
const PUBLISH = 0x003c_0028
const ACK = 0x003c_0050

export interface RawMessage {
  readonly exchange?: string
  readonly routingKey: string
  readonly properties: RawProperties | Buffer
  readonly body: Buffer
}

/** An AMQP client of a few lines that writes frames as it is told, wrong ones too, which no well-behaved client can. */
export class RawClient {
  private rest: Buffer = Buffer.alloc(0)
  private readonly waiting = new Map<number, { resolve: (args: Buffer) => void; reject: (error: Error) => void }>()
  /** Messages of this connection, and the numbers of those that the broker hasn't taken yet. */
  private sent = 0
  private readonly unconfirmed = new Set<number>()
  private onTaken: () => void = () => undefined
  /** What the broker had against a message, for which it has closed the connection. */
  refusal: string | null = null

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => this.receive(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => this.end('the socket was closed'))
  }

  static async open(url: string): Promise<RawClient> {
    const { hostname, password, pathname, port, username } = new URL(url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.setNoDelay(true)
    const client = new RawClient(socket)
    const started = client.answer(START)
    socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1'))
    await started
    const plain = `\0${decodeURIComponent(username || 'guest')}\0${decodeURIComponent(password || 'guest')}`
    const tuned = client.answer(TUNE)
    client.method(0, START_OK, uint32(0), short('PLAIN'), text(plain).subarray(1), short('en_US'))
    await tuned
    client.method(0, TUNE_OK, uint16(1), uint32(FRAME_MAX), uint16(0))
    const vhost = decodeURIComponent(pathname.slice(1)) || '/'
    await client.ask(0, OPEN, OPEN_OK, short(vhost), short(''), uint8(0))
    await client.ask(1, CHANNEL_OPEN, CHANNEL_OPEN_OK, short(''))
    await client.ask(1, CONFIRM_SELECT, CONFIRM_SELECT_OK, uint8(0))
    return client
  }

  /** Writes a message; what becomes of it, `settled` says. */
  publish({ body, exchange = '', properties, routingKey }: RawMessage): void {
    this.unconfirmed.add(++this.sent)
    const bytes = Buffer.isBuffer(properties) ? properties : rawProperties(properties)
    this.method(1, PUBLISH, uint16(0), short(exchange), short(routingKey), uint8(0))
    this.frame(HEADER, 1, Buffer.concat([uint16(60), uint16(0), uint64(BigInt(body.length)), bytes]))
    for (let from = 0; from < body.length; from += FRAME_MAX - 8) {
      this.frame(BODY, 1, body.subarray(from, from + FRAME_MAX - 8))
    }
  }

  /** Resolves once the broker has taken all that was written, or refused one. @returns how many it has surely taken on this connection */
  async settled(): Promise<number> {
    if (this.refusal === null && this.unconfirmed.size > 0) {
      await new Promise<void>((resolve) => {
        this.onTaken = resolve
      })
    }
    return this.sent - this.unconfirmed.size
  }

  async close(): Promise<void> {
    if (this.refusal === null) await this.ask(0, CLOSE, CLOSE_OK, uint16(200), short('bye'), uint16(0), uint16(0))
    this.socket.destroy()
  }

  private method(channel: number, id: number, ...args: Buffer[]): void {
    this.frame(METHOD, channel, Buffer.concat([uint32(id), ...args]))
  }

  private frame(type: number, channel: number, payload: Buffer): void {
    if (!this.socket.writable) return
    this.socket.write(frame(type, channel, payload))
  }

  private answer(id: number): Promise<Buffer> {
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }))
  }

  private ask(channel: number, id: number, expected: number, ...args: Buffer[]): Promise<Buffer> {
    const answer = this.answer(expected)
    this.method(channel, id, ...args)
    return answer
  }

  private receive(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk])
    for (;;) {
      if (this.rest.length < 8) return
      const end = 7 + this.rest.readUInt32BE(3)
      if (this.rest.length <= end) return
      const payload = this.rest.subarray(7, end)
      const type = this.rest[0]
      this.rest = this.rest.subarray(end + 1)
      if (type === METHOD) this.heard(payload.readUInt32BE(0), payload.subarray(4))
    }
  }

  private heard(id: number, args: Buffer): void {
    if (id === ACK) {
      const tag = Number(args.readBigUInt64BE(0))
      for (const each of args[8] ? [...this.unconfirmed].filter((other) => other <= tag) : [tag])
        this.unconfirmed.delete(each)
      if (this.unconfirmed.size === 0) this.onTaken()
    } else if (id === CLOSE || id === CHANNEL_CLOSE) {
      this.end(`${args.readUInt16BE(0)} ${args.toString('utf8', 3, 3 + Number(args[2]))}`)
      this.socket.destroy()
    } else {
      this.waiting.get(id)?.resolve(args)
      this.waiting.delete(id)
    }
  }

  private end(refusal: string): void {
    this.refusal ??= refusal
    for (const { reject } of this.waiting.values()) reject(new Error(this.refusal))
    this.waiting.clear()
    this.onTaken()
  }
}
