import type { ChannelModel } from 'amqplib'
import { BrokerError } from '../errors.js'
import { readProperties } from './properties.js'

const FRAME_HEADER = 2
const FRAME_END = 0xce
const CLASS_BASIC = 60
/** Class and number of methods. */
const CHANNEL_OPEN_OK = 0x0014_000b
const CHANNEL_CLOSE = 0x0014_0028
const CHANNEL_CLOSE_OK = 0x0014_0029
/** Bytes of the frame's type, channel and size. */
const PREFIX_BYTES = 7
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
}

/*
 * Frame:           uint8 type, uint16 channel, uint32 size, payload, 0xCE
 * Content header:  uint16 class, uint16 weight, uint64 size of the body, properties
 */
/**
 * Fixes how one connection receives frames. Only that connection is changed, not the package, which the application may
 * use as well.
 *
 * Our own reader decodes the properties of messages: properties that it can't read cost that message, where amqplib's
 * reader would end the connection. (Of what the broker sends, only its own properties in `connection.start` hold a
 * table besides; those are read earlier, and have types that amqplib knows.)
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
    do frame = takeHeader(receiver) ?? receive.call(receiver)
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

/** @returns null unless a content header comes next and is complete */
function takeHeader(receiver: Receiver): (Frame & { readonly size: number; readonly fields: object }) | null {
  const { rest } = receiver
  if (rest.length <= PREFIX_BYTES + FIXED_BYTES || rest[0] !== FRAME_HEADER) return null
  const end = PREFIX_BYTES + rest.readUInt32BE(3)
  const isWhole = end >= PREFIX_BYTES + FIXED_BYTES && rest[end] === FRAME_END
  if (!isWhole || rest.readUInt16BE(PREFIX_BYTES) !== CLASS_BASIC) return null
  receiver.rest = rest.subarray(end + 1)
  return {
    id: CLASS_BASIC,
    channel: rest.readUInt16BE(1),
    size: Number(rest.readBigUInt64BE(PREFIX_BYTES + 4)),
    fields: readProperties(rest.subarray(PREFIX_BYTES + FIXED_BYTES, end)),
  }
}
