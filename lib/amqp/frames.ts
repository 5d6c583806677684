import type { ChannelModel } from 'amqplib'
import { BrokerError } from '../errors.js'
import { FieldReader } from './fieldTable.js'
import { readProperties } from './properties.js'

const FRAME_METHOD = 1
const FRAME_HEADER = 2
const FRAME_END = 0xce
const CLASS_BASIC = 60
/** Class and number of methods. */
const CHANNEL_OPEN_OK = 0x0014_000b
const CHANNEL_CLOSE = 0x0014_0028
const CHANNEL_CLOSE_OK = 0x0014_0029
const BASIC_DELIVER = 0x003c_003c
/** Bytes of the frame's type, channel and size. */
const PREFIX_BYTES = 7
/** Bytes of the class and number of a method. */
const METHOD_BYTES = 4
/** Bytes of the class, an unused weight, and the size of the body: the fields before the properties. */
const FIXED_BYTES = 12

/** The members of amqplib's `Connection` that we need and its types don't show. */
interface Receiver {
  /** Bytes that were received and are not a whole frame yet, or have not been read. */
  rest: Buffer
  /**
   * Takes the next frame from `rest`, reading more from the socket if necessary. @returns false if there is none yet
   */
  recvFrame(): Frame | false
}

interface Frame {
  /** The class and number of a method or a header. */
  readonly id?: number
  readonly channel: number
  /** Size of the body, in a header. */
  readonly size?: number
  readonly fields?: object
}

/*
 * Frame:           uint8 type, uint16 channel, uint32 size, payload, 0xCE
 * Method:          uint16 class, uint16 number, its fields
 * Deliver:         consumer tag, uint64 delivery tag, uint8 redelivered, exchange, routing key; texts are short
 * Content header:  uint16 class, uint16 weight, uint64 size of the body, properties
 */
/**
 * Fixes how one connection receives frames. Only that connection is changed, not the package, which the application may
 * use as well.
 *
 * Our own reader decodes the properties of messages: properties that it can't read cost that message, where amqplib's
 * reader would end the connection. (Of what the broker sends, only its own properties in `connection.start` hold a
 * table besides; those are read earlier, and have types that amqplib knows.) It reads deliveries, too, since it makes no
 * new text of the names that each of them repeats.
 *
 * Frames on a channel that the broker has closed are dropped until the channel is opened again: RabbitMQ may have had
 * deliveries on their way when it refused something, and sends them after its `channel.close`. By then amqplib has
 * forgotten the channel, and would end the connection. Dropping them loses nothing: the broker has them back, or they
 * were deleted with their queue.
 * @throws BrokerError if amqplib doesn't receive frames in the way that this relies on
 */
export function mendReceiving(model: ChannelModel): void {
  const receiver = model.connection as unknown as Receiver
  if (typeof receiver.recvFrame !== 'function' || !Buffer.isBuffer(receiver.rest)) {
    throw new BrokerError(
      'this version of amqplib receives frames in an unknown way: install the one that celeriac names',
    )
  }
  const receive = receiver.recvFrame
  const closed = new Set<number>()
  receiver.recvFrame = () => {
    let frame: Frame | false
    do frame = takeFrame(receiver) ?? receive.call(receiver)
    while (frame && isStray(frame, closed))
    return frame
  }
}

/** @param closed the channels that the broker has closed */
function isStray({ channel, id }: Frame, closed: Set<number>): boolean {
  if (id === CHANNEL_CLOSE) closed.add(channel)
  if (closed.size === 0) return false
  if (id === CHANNEL_OPEN_OK) closed.delete(channel)
  // A close of ours that crossed the broker's is still answered.
  return closed.has(channel) && id !== CHANNEL_CLOSE && id !== CHANNEL_CLOSE_OK
}

/** @returns null unless a delivery or a content header comes next and is complete */
function takeFrame(receiver: Receiver): Frame | null {
  const { rest } = receiver
  if (rest.length <= PREFIX_BYTES + FIXED_BYTES) return null
  const type = rest[0]
  if (type !== FRAME_METHOD && type !== FRAME_HEADER) return null
  const end = PREFIX_BYTES + rest.readUInt32BE(3)
  if (rest[end] !== FRAME_END) return null
  const frame = (type === FRAME_METHOD ? deliveryIn : headerIn)(rest, end)
  if (frame !== null) receiver.rest = rest.subarray(end + 1)
  return frame
}

/** @returns null for another method */
function deliveryIn(bytes: Buffer, end: number): Frame | null {
  if (bytes.readUInt32BE(PREFIX_BYTES) !== BASIC_DELIVER) return null
  const reader = new FieldReader(bytes, PREFIX_BYTES + METHOD_BYTES)
  return {
    id: BASIC_DELIVER,
    channel: bytes.readUInt16BE(1),
    // In the order of the wire: each expression reads what comes next.
    fields: {
      consumerTag: reader.shortText(end),
      deliveryTag: Number(reader.uint64(end)),
      redelivered: (reader.byte(end) & 1) !== 0,
      exchange: reader.shortText(end),
      routingKey: reader.shortText(end),
    },
  }
}

/** @returns null unless it is one of a message */
function headerIn(bytes: Buffer, end: number): Frame | null {
  if (end < PREFIX_BYTES + FIXED_BYTES || bytes.readUInt16BE(PREFIX_BYTES) !== CLASS_BASIC) return null
  return {
    id: CLASS_BASIC,
    channel: bytes.readUInt16BE(1),
    size: Number(bytes.readBigUInt64BE(PREFIX_BYTES + 4)),
    fields: readProperties(bytes.subarray(PREFIX_BYTES + FIXED_BYTES, end)),
  }
}
