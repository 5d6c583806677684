/**
 * One thing that went over a connection's task channel: `tag` is AMQP's deliveryTag, and `all` says that everything up
 * to it is meant.
 */
export type Passage =
  | { readonly what: 'delivered'; readonly tag: number; readonly channel: number; readonly headers: string }
  | { readonly what: 'acked'; readonly tag: number; readonly all: boolean; readonly channel: number }

const METHOD = 1
const HEADER = 2
const BASIC = 60
const DELIVER = 60
const ACK = 80
/** Bytes before a frame's payload, and one after it. */
const HEAD = 7
const PROTOCOL_HEADER = Buffer.from('AMQP')

/**
 * Reads the deliveries and acks of one direction of one AMQP connection out of its bytes.
 * @returns what takes in the next piece
 */
export function settlementReader(onPassage: (passage: Passage) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  const delivered = new Map<number, number>()
  return (chunk) => {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    if (rest.subarray(0, 4).equals(PROTOCOL_HEADER)) rest = rest.subarray(8)
    while (rest.length >= HEAD) {
      const size = rest.readUInt32BE(3)
      if (rest.length < HEAD + size + 1) return
      const channel = rest.readUInt16BE(1)
      const payload = rest.subarray(HEAD, HEAD + size)
      const isBasic = rest[0] === METHOD && payload.readUInt16BE(0) === BASIC
      if (isBasic && payload.readUInt16BE(2) === ACK)
        onPassage({ what: 'acked', tag: Number(payload.readBigUInt64BE(4)), all: payload[12] === 1, channel })
      // The consumer tag, a short text, stands before the delivery tag.
      if (isBasic && payload.readUInt16BE(2) === DELIVER)
        delivered.set(channel, Number(payload.readBigUInt64BE(5 + payload.readUInt8(4))))
      const tag = delivered.get(channel)
      if (rest[0] === HEADER && tag !== undefined) {
        delivered.delete(channel)
        onPassage({ what: 'delivered', tag, channel, headers: payload.toString('latin1') })
      }
      rest = rest.subarray(HEAD + size + 1)
    }
  }
}
