import { AmqpBroker } from '../../lib/amqp/broker.js'
import type { BrokerConnection, BrokerPublisher } from '../../lib/broker/broker.js'
import { systemClock } from '../../lib/clock.js'
import { Gossip } from '../../lib/control/gossip.js'
import { GossipInlet } from '../../lib/control/gossipInlet.js'
import { Mailbox } from '../../lib/control/mailbox.js'
import { Members } from '../../lib/control/members.js'
import { Mingle } from '../../lib/control/mingle.js'
import { RemoteNeighbours } from '../../lib/control/neighbours.js'
import { Panel } from '../../lib/control/panel.js'
import { EventDispatcher } from '../../lib/events/dispatcher.js'
import { Heart } from '../../lib/events/heart.js'
import type { Clock } from '../../lib/ports.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import { Revoked } from '../../lib/request/revoked.js'
import { loadSettings } from '../../lib/settings/load.js'
import { type Link, openLink } from './link.js'
import { MemoryLog } from './memoryLog.js'
import { waitFor } from './waitFor.js'

/** The part of a worker that its neighbours see, in the spec's own process: mingle, gossip, heartbeats, and a pidbox. */
export class Gossiper {
  readonly log = new MemoryLog()
  readonly lamport = new LamportClock()
  readonly revoked = new Revoked(systemClock)
  /** What it was elected to do. */
  readonly applied: unknown[] = []
  readonly gossip: Gossip
  readonly members = new Members(systemClock)
  /** The milliseconds that it let pass before messages could be taken, each time that it did. */
  readonly waited: number[] = []
  private readonly connection: BrokerConnection
  private readonly dispatcher: EventDispatcher
  private readonly heart: Heart
  private readonly publisher: BrokerPublisher

  private constructor(
    readonly nodename: string,
    readonly pid: number,
    brokerUrl: string,
    private readonly link: Link | null,
  ) {
    const { applied, lamport, log, members, revoked } = this
    const clock = systemClock
    const { faults, settings } = loadSettings({ config: { broker_url: brokerUrl }, env: {}, flags: {} })
    if (faults.length > 0) throw new Error(faults.join('\n'))
    const broker = new AmqpBroker({ settings, clock, log: () => log })
    const sink = broker.eventSink()
    this.dispatcher = new EventDispatcher({ hostname: nodename, sink, lamport, clock, log, groups: ['worker'] })
    this.heart = new Heart({
      dispatcher: this.dispatcher,
      clock,
      interval: null,
      version: '0',
      activity: () => ({ active: 0, processed: 0 }),
    })
    this.publisher = broker.publisher
    const mingle = new Mingle({ nodename, revoked, clock, lamport, log })
    this.gossip = new Gossip({
      nodename,
      members,
      clock,
      lamport,
      log,
      // Candidates of one process need names of their own.
      pid,
      send: (type, fields) => this.dispatcher.send(type, { ...fields, pid }),
      apply: (signature) => applied.push(signature),
    })
    const panel = new Panel(nodename, log)
    panel.register({
      hello: (args) => mingle.hello(args),
      election: ({ action, id, topic }) => this.gossip.election(String(id), String(topic), action),
      revoke: ({ task_id }) => {
        for (const id of [task_id].flat()) revoked.add(String(id))
      },
      revoked: () => revoked.ids,
      ping: () => ({ ok: 'pong' }),
    })
    const [replies, elsewhere] = [broker.replySink(log), broker.replySink(log)]
    const mailbox = new Mailbox({ nodename, panel, clock: lamport, replies, elsewhere, log })
    const inlet = new GossipInlet(this.gossip, log)
    this.connection = broker.connect({
      onUp: async (session) => {
        const watched: Clock = {
          ...clock,
          setTimer: (fn, delayMs) =>
            clock.setTimer(() => {
              this.waited.push(delayMs)
              fn()
            }, delayMs),
        }
        const parts = { nodename, clock: watched, lamport, log }
        const neighbours = await RemoteNeighbours.look((signal) => broker.publishing(signal), parts)
        await mailbox.up(session)
        if (neighbours) await mingle.sync(neighbours)
        await inlet.up(session)
        this.heart.up()
        log.info(`${nodename} ready.`)
      },
      onDown: async () => {
        inlet.down()
        this.heart.down()
      },
    })
  }

  /**
   * Resolves when it is ready.
   * @param prepare is given the new node before it speaks to anybody
   * @param mayVanish whether its connections can be cut; that costs them some time
   */
  static async start(
    nodename: string,
    brokerUrl: string,
    options: { pid?: number; prepare?: (node: Gossiper) => void; mayVanish?: boolean } = {},
  ): Promise<Gossiper> {
    const { mayVanish = false, pid = process.pid, prepare = () => undefined } = options
    const link = mayVanish ? await openLink(Number(new URL(brokerUrl).port)) : null
    const url = link ? brokerUrl.replace(/:\d+\/\//, `:${link.port}//`) : brokerUrl
    const node = new Gossiper(nodename, pid, url, link)
    prepare(node)
    await node.dispatcher.start()
    await node.connection.start()
    await waitFor(() => node.log.of('INFO').includes(`${nodename} ready.`), { what: nodename })
    return node
  }

  /** Cuts every connection without a word, as a kill -9 does. */
  vanish(): void {
    this.link?.refuse()
    this.link?.cut()
  }

  /** Says goodbye and leaves; idempotent. */
  async stop(): Promise<void> {
    this.heart.stop()
    await this.dispatcher.stop()
    await this.connection.stop()
    await this.publisher.stop()
    this.gossip.down()
    await this.link?.close()
  }
}
