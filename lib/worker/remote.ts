import type { App } from '../app/app.js'
import type { Broker } from '../broker/broker.js'
import type { Session } from '../broker/session.js'
import { Gossip } from '../control/gossip.js'
import { GossipInlet } from '../control/gossipInlet.js'
import { Mailbox } from '../control/mailbox.js'
import { Members } from '../control/members.js'
import { Mingle } from '../control/mingle.js'
import { RemoteNeighbours } from '../control/neighbours.js'
import { Panel } from '../control/panel.js'
import type { ControlParts } from '../control/parts.js'
import { registerCommands } from '../control/register.js'
import type { Clock, Logger } from '../ports.js'
import type { LamportClock } from '../protocol/lamport.js'
import type { Revoked } from '../request/revoked.js'
import type { Settings } from '../settings/table.js'
import { VERSION } from '../version.js'
import type { WorkerEvents } from './events.js'

export interface RemoteOptions
  extends Pick<ControlParts, 'line' | 'breakers' | 'executor' | 'scaling' | 'queues' | 'fleets' | 'shutdown'> {
  readonly app: App
  readonly settings: Settings
  readonly configured?: ReadonlyMap<string, unknown>
  readonly nodename: string
  readonly revoked: Revoked
  readonly broker: Broker
  readonly events: WorkerEvents
  readonly lamport: LamportClock
  readonly clock: Clock
  log(scope: string): Logger
}

/** Milliseconds in which a broker deletes the mailbox of a connection that it knows to be closed. */
const STALE_MS = 300

/** Communicates with other nodes: remote control, mingle, gossip, and the times of heartbeats. */
export class Remote {
  /** Answers remote control, and control over HTTP. */
  readonly panel: Panel
  private readonly mingle: Mingle
  private readonly gossip: Gossip
  private readonly inlet: GossipInlet
  private readonly mailbox: Mailbox | null
  /** The app may outlive the worker. */
  private readonly forgetApp: () => void
  /**
   * True if nobody else was there at the last connection: an apparent neighbour at the next one is our own old mailbox,
   * for a moment.
   */
  private wasAlone = false

  constructor(private readonly options: RemoteOptions) {
    const { app, broker, clock, events, lamport, log, nodename, revoked, settings } = options
    this.mingle = new Mingle({ nodename, revoked, clock, lamport, log: log('mingle') })
    this.gossip = new Gossip({
      nodename,
      members: new Members(clock),
      clock,
      lamport,
      log: log('gossip'),
      send: (type, fields) => events.dispatcher.send(type, fields),
      apply: (signature) => applySignature(app, signature),
    })
    this.inlet = new GossipInlet(this.gossip, log('gossip'))
    this.panel = new Panel(nodename, log('control'))
    this.forgetApp = app.commands.onAdd(registerCommands(this.panel, this.parts(), app.commands))
    this.mailbox = settings.worker_enable_remote_control
      ? new Mailbox({
          nodename,
          panel: this.panel,
          clock: lamport,
          replies: broker.replySink(log('control')),
          elsewhere: broker.replySink(log('control')),
          log: log('control'),
        })
      : null
  }

  /** Messages that couldn't be read or sent, by kind; none of them is a task. */
  get dropped(): ReadonlyMap<string, number> {
    return new Map([
      ['control', this.mailbox?.unread ?? 0],
      ['reply', this.mailbox?.dropped ?? 0],
      ['event', this.options.events.dropped],
      ['gossip', this.inlet.dropped],
    ])
  }

  /** Called on a new connection, before messages are taken: revoked tasks have to be known by then. */
  async up(session: Session): Promise<void> {
    const { broker, clock, lamport, log, nodename, settings } = this.options
    const parts = { nodename, clock, lamport, log: log('mingle') }
    const neighbours = settings.without_mingle
      ? null
      : await RemoteNeighbours.look((signal) => broker.publishing(signal), parts, this.wasAlone ? STALE_MS : 0)
    await this.mailbox?.up(session)
    if (!settings.without_gossip) await this.inlet.up(session)
    if (neighbours) this.wasAlone = (await this.mingle.sync(neighbours)) === 0
  }

  /** Called once messages are taken. */
  consuming(): void {
    this.options.events.heart.up()
  }

  down(): void {
    this.options.events.heart.down()
    this.inlet.down()
  }

  /** Called when the worker begins to stop: monitors hear of it at once. */
  stopping(): void {
    this.options.events.heart.stop()
    this.inlet.down()
    this.forgetApp()
  }

  private parts(): ControlParts {
    const {
      app,
      breakers,
      clock,
      configured,
      events,
      executor,
      fleets,
      lamport,
      line,
      log,
      nodename,
      queues,
      scaling,
      settings,
      shutdown,
    } = this.options
    return {
      nodename,
      version: VERSION,
      main: settings.app ?? app.main,
      tasks: app.tasks,
      settings,
      configured: configured ?? new Map(),
      clock,
      log: log('control'),
      lamport,
      line,
      breakers,
      executor,
      scaling,
      queues,
      fleets,
      shutdown,
      events: {
        enable: () => events.dispatcher.enable(),
        disable: () => events.dispatcher.disable(),
        heartbeat: () => events.heart.pulse(),
      },
      neighbours: {
        hello: (args) => this.mingle.hello(args),
        election: ({ action, id, topic }) =>
          settings.without_gossip ? undefined : this.gossip.election(String(id), String(topic), action),
      },
    }
  }
}

async function applySignature(app: App, signature: unknown): Promise<void> {
  const { task, args, kwargs, options } = signature as {
    readonly task: string
    readonly args?: readonly unknown[]
    readonly kwargs?: Record<string, unknown>
    readonly options?: { readonly queue?: string }
  }
  await app.sendTask(task, args ?? [], kwargs ?? {}, options?.queue === undefined ? {} : { queue: options.queue })
}
