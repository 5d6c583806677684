import type { ChannelModel } from 'amqplib'
import { BrokerError } from '../errors.js'
import { readProperties } from './properties.js'

const FRAME_HEADER = 2
const FRAME_END = 0xce
const CLASS_BASIC = 60
/** Of methods, by class and number. */
const CHANNEL_OPEN_OK = 0x0014_000b
const CHANNEL_CLOSE = 0x0014_0028
const CHANNEL_CLOSE_OK = 0x0014_0029
/** Of the frame's type, channel and size. */
const PREFIX_BYTES = 7
/** Of the class, a weight that nobody uses, and the size of the body: what comes before the properties. */
const FIXED_BYTES = 12

/** What we need of amqplib's `Connection`, which its types don't show. */
interface Receiver {
  /** What was received and isn't a whole frame yet, or hasn't been looked at. */
  rest: Buffer
  /** Takes the next frame from `rest`, reading more from the socket where it has to. @returns false if there is none yet */
  recvFrame(): Frame | false
}

interface Frame {
  /** Of a method or a header. */
  readonly id?: number
  readonly channel: number
}

/*
 * Frame:           uint8 type, uint16 channel, uint32 size, payload, 0xCE
 * Content header:  uint16 class, uint16 weight, uint64 size of the body, properties
 */
/**
 * Mends how one connection receives frames. Only that connection is changed, and not the package, which the application may use as well.
 *
 * Our own reader decodes the properties of messages: what it can't read costs that message, where amqplib's would end the connection. (Of what
 * the broker sends, only its own properties in `connection.start` hold a table besides; those are read before this, and of types that amqplib
 * knows.)
 *
 * What comes on a channel that the broker has closed is dropped until the channel is opened again: RabbitMQ may have had deliveries on their
 * way when it refused something, and sends them after its `channel.close`. amqplib has forgotten the channel by then, and would end the
 * connection. They are in no one's hands: the broker has them back, or they went with their queue.
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
  // A close of ours that crossed the broker's is answered.
  return closed.has(channel) && id !== CHANNEL_CLOSE && id !== CHANNEL_CLOSE_OK
}

/** @returns null unless a content header comes next, and is there as a whole */
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
