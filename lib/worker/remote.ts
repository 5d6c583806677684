import type { Epoch } from '../amqp/epoch.js'
import { AmqpEventSink } from '../amqp/nodes/eventSink.js'
import { GossipInlet } from '../amqp/nodes/gossipInlet.js'
import { Mailbox } from '../amqp/nodes/mailbox.js'
import { AmqpNeighbours } from '../amqp/nodes/neighbours.js'
import { connectionOptions } from '../amqp/options.js'
import type { Outage } from '../amqp/outage.js'
import type { AmqpPublisher } from '../amqp/publisher.js'
import type { App } from '../app/app.js'
import type { Component } from '../component.js'
import { Gossip } from '../control/gossip.js'
import { Mingle } from '../control/mingle.js'
import { Panel } from '../control/panel.js'
import type { ControlParts } from '../control/parts.js'
import { registerCommands } from '../control/register.js'
import { DispatchedTaskEvents } from '../events/dispatched.js'
import { EventDispatcher } from '../events/dispatcher.js'
import { Heart } from '../events/heart.js'
import type { Clock, Logger } from '../ports.js'
import type { EventGroup } from '../protocol/event.js'
import { LamportClock } from '../protocol/lamport.js'
import type { Revoked } from '../request/revoked.js'
import type { WorkerState } from '../request/state.js'
import { StateDb } from '../request/stateDb.js'
import type { TaskEvents } from '../request/taskEvents.js'
import type { Settings } from '../settings/table.js'
import { VERSION } from '../version.js'

export interface RemoteOptions {
  readonly app: App
  readonly settings: Settings
  readonly nodename: string
  readonly state: WorkerState
  readonly revoked: Revoked
  /** Mingle and control answer on its connection, never on the one that consumes: the broker may stop reading from a connection that publishes. */
  readonly publisher: AmqpPublisher
  readonly clock: Clock
  readonly outage: Outage
  log(scope: string): Logger
}

/** Milliseconds in which a broker removes the mailbox of a connection that it knows to be gone. */
const STALE_MS = 300

/** What other nodes see of this worker and say to it: events and heartbeats, remote control, mingle, gossip. */
export class Remote {
  readonly lamport = new LamportClock()
  readonly dispatcher: EventDispatcher
  readonly events: TaskEvents
  /** Answers remote control, and control over HTTP; it knows no command before `register`. */
  readonly panel: Panel
  private readonly heart: Heart
  private readonly mingle: Mingle
  private readonly gossip: Gossip
  private readonly inlet: GossipInlet
  private readonly sink: AmqpEventSink
  private mailbox: Mailbox | null = null
  /** At the last connection nobody else was there: what seems to be a neighbour at the next one is our own mailbox, for a moment. */
  private wasAlone = false

  constructor(private readonly options: RemoteOptions) {
    const { app, clock, log, nodename, revoked, settings, state } = options
    const { lamport } = this
    this.panel = new Panel(nodename, log('control'))
    this.sink = new AmqpEventSink({
      ...connectionOptions('producer', settings, clock, log('events')),
      name: 'events',
      ...options.outage.ofOthers,
      maxRetries: null,
    })
    this.dispatcher = new EventDispatcher({
      hostname: nodename,
      sink: this.sink,
      lamport,
      clock,
      log: log('events'),
      groups: eventGroups(settings),
    })
    this.events = new DispatchedTaskEvents({
      dispatcher: this.dispatcher,
      sendsSent: settings.task_send_sent_event,
      wanted: (task) => task.options.sendEvents ?? true,
    })
    this.heart = new Heart({
      dispatcher: this.dispatcher,
      clock,
      interval: settings.without_heartbeat ? 'none' : settings.heartbeat_interval,
      version: VERSION,
      activity: () => ({ active: state.running.size, processed: state.accepted }),
    })
    this.mingle = new Mingle({ nodename, revoked, clock, lamport, log: log('mingle') })
    this.gossip = new Gossip({
      nodename,
      clock,
      lamport,
      log: log('gossip'),
      send: (type, fields) => this.dispatcher.send(type, fields),
      apply: (signature) => applySignature(app, signature),
    })
    this.inlet = new GossipInlet(this.gossip, log('gossip'))
  }

  /** What couldn't be read or sent, by kind; none of it is a task. */
  get dropped(): ReadonlyMap<string, number> {
    return new Map([
      ['control', this.mailbox?.unread ?? 0],
      ['reply', this.mailbox?.dropped ?? 0],
      ['event', this.dispatcher.dropped + this.sink.dropped],
      ['gossip', this.inlet.dropped],
    ])
  }

  /** What has to be started before messages are taken, and stopped after the last task. */
  get components(): readonly Component[] {
    const { clock, log, revoked, settings } = this.options
    const file = settings.worker_state_db
    if (file === null) return [this.dispatcher]
    const db = new StateDb({ file, revoked, lamport: this.lamport, clock, log: log('statedb') })
    revoked.onAdded = () => db.changed()
    // The clock is saved after the last event, so that it never goes back over a restart.
    return [db, this.dispatcher]
  }

  /** Makes the commands known, once the parts of the worker that they work with are there. */
  register(parts: Omit<ControlParts, 'events' | 'neighbours' | 'lamport' | 'version'>): void {
    const { log, nodename, publisher, settings } = this.options
    const { panel } = this
    registerCommands(panel, {
      ...parts,
      version: VERSION,
      lamport: this.lamport,
      events: {
        enable: () => this.dispatcher.enable(),
        disable: () => this.dispatcher.disable(),
        heartbeat: () => this.heart.pulse(),
      },
      neighbours: {
        hello: (args) => this.mingle.hello(args),
        election: ({ action, id, topic }) =>
          settings.without_gossip ? undefined : this.gossip.election(String(id), String(topic), action),
      },
    })
    if (!settings.worker_enable_remote_control) return
    this.mailbox = new Mailbox({ nodename, panel, clock: this.lamport, publisher, log: log('control') })
  }

  /** On a new connection, before messages are taken: what is revoked elsewhere has to be known by then. */
  async up(epoch: Epoch): Promise<void> {
    const { clock, log, nodename, publisher, settings } = this.options
    const parts = { nodename, clock, lamport: this.lamport, log: log('mingle') }
    const neighbours = settings.without_mingle
      ? null
      : await AmqpNeighbours.look((signal) => publisher.epoch(signal), parts, this.wasAlone ? STALE_MS : 0)
    await this.mailbox?.up(epoch)
    if (!settings.without_gossip) await this.inlet.up(epoch)
    if (neighbours) this.wasAlone = (await this.mingle.sync(neighbours)) === 0
  }

  /** Messages are taken from now on. */
  consuming(): void {
    this.heart.up()
  }

  down(): void {
    this.heart.down()
    this.inlet.down()
  }

  /** The worker begins to stop: monitors are told at once. */
  stopping(): void {
    this.heart.stop()
    this.inlet.down()
  }
}

/** Without `-E`, a worker that neither gossips nor announces itself has nothing to tell until it is asked to. */
function eventGroups(settings: Settings): EventGroup[] {
  if (settings.worker_send_task_events) return ['worker', 'task']
  return settings.without_gossip && settings.without_heartbeat ? [] : ['worker']
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
