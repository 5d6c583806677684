import type { Socket } from 'node:net'
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib'
import { BrokerError, coerceError } from '../errors.js'
import { Acks } from './acks.js'
import { closeChannel } from './closeChannel.js'

/** How long a broker may take to answer our close before the socket is cut. */
const CLOSE_TIMEOUT_MS = 2000

/**
 * One connection's life. Everything that is tied to the connection is made from it and is void once `ended` is aborted;
 * nothing is ever carried over into the next epoch.
 */
export class Epoch {
  private readonly ending = new AbortController()
  private closing: Promise<void> | null = null
  private readonly channels = new Set<Channel>()
  private gathering = false
  /** Written with whatever else is gathered, and before. */
  readonly acks = new Acks()

  constructor(private readonly model: ChannelModel) {
    // amqplib emits 'error' before 'close' when the connection breaks, and 'close' alone when the broker shuts down.
    model.on('error', (error) => this.end(error))
    model.on('close', (error) => this.end(error ?? new BrokerError('the connection was closed')))
  }

  /** Aborted, with the reason, when the connection is lost or given up. */
  get ended(): AbortSignal {
    return this.ending.signal
  }

  /** Seconds, as negotiated with the broker; 0 for none. */
  get heartbeat(): number {
    return (this.model.connection as unknown as { heartbeat?: number }).heartbeat ?? 0
  }

  /** Ends the epoch because of an error that only a new connection can repair. Later calls do nothing. */
  end(reason: unknown): void {
    if (this.ended.aborted) return
    this.ending.abort(coerceError(reason))
    void this.close()
  }

  /**
   * Writes everything sent from now until the next round of the event loop in one piece: a system call for each ack of
   * a few bytes costs more than everything else that is done for it. It takes two rounds, because amqplib needs one to
   * hand a message's content to the socket.
   */
  gather(): void {
    if (this.gathering) return
    this.gathering = true
    const { socket } = this
    socket.cork()
    setImmediate(() =>
      setImmediate(() => {
        this.gathering = false
        this.acks.write()
        socket.uncork()
      }),
    )
  }

  /** A channel whose failure is the epoch's failure. */
  async channel(): Promise<Channel> {
    return this.keep(await this.model.createChannel())
  }

  /**
   * Like `channel`, with publisher confirms. `onError` is called with a failure of the channel instead of ending the
   * epoch.
   */
  async confirmChannel(onError?: (error: Error) => void): Promise<ConfirmChannel> {
    return this.keep(await this.model.createConfirmChannel(), onError)
  }

  /**
   * A channel that stays open until the connection ends or the broker closes it; `onError` is called with the reason,
   * and the connection goes on.
   */
  async lastingChannel(onError: (error: Error) => void): Promise<Channel> {
    return this.keep(await this.model.createChannel(), onError)
  }

  /**
   * A channel for calls that may fail and so close it (a passive declare, a mismatch); `onError` is called with the
   * reason.
   */
  async scratchChannel(onError: (error: Error) => void = () => undefined): Promise<Channel> {
    const channel = await this.model.createChannel()
    // The failing call rejects with the same error; without a listener the event would be thrown.
    channel.on('error', onError)
    return channel
  }

  /** Runs `use` on a scratch channel and closes it. */
  async scratch<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    let failed = false
    const channel = await this.scratchChannel(() => {
      failed = true
    })
    try {
      return await use(channel)
    } finally {
      if (!failed && !this.ended.aborted) await closeChannel(channel).catch((thrown) => this.end(thrown))
    }
  }

  /** Closes the connection; after two seconds without an answer the socket is destroyed. Never throws. */
  close(): Promise<void> {
    this.closing ??= this.sayGoodbye()
    return this.closing
  }

  /**
   * amqplib keeps the socket private. We write in larger pieces than it does, and cut off a peer that has gone silent.
   */
  private get socket(): Socket {
    return (this.model.connection as unknown as { stream: Socket }).stream
  }

  private keep<T extends Channel>(channel: T, onError = (error: Error): void => this.end(error)): T {
    channel.on('error', onError)
    channel.on('close', () => this.channels.delete(channel))
    this.channels.add(channel)
    return channel
  }

  private async sayGoodbye(): Promise<void> {
    const inPeace = !this.ended.aborted
    if (inPeace) this.acks.write()
    if (inPeace) this.ending.abort(new BrokerError('the connection was closed by this worker'))
    const { socket } = this
    // A peer that has gone silent would hold the process for ever. Without an error amqplib wouldn't notice, and leave all who wait waiting.
    const cut = setTimeout(
      () => socket.destroy(new BrokerError('the broker did not answer the goodbye')),
      CLOSE_TIMEOUT_MS,
    )
    const gone = new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())))
    try {
      // Closing the connection may overtake what its channels have still to send, including the last acks; closing a
      // channel can't.
      if (inPeace) await Promise.race([Promise.allSettled([...this.channels].map(closeChannel)), gone])
      await Promise.race([this.model.close(), gone])
    } catch {
      // The connection was closed already, or never opened: either way there is nothing left to send.
      socket.destroy()
    } finally {
      clearTimeout(cut)
    }
  }
}
