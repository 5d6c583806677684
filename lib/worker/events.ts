import type { Broker } from '../broker/broker.js'
import type { EventSink } from '../broker/eventSink.js'
import type { Component } from '../component.js'
import { DispatchedTaskEvents } from '../events/dispatched.js'
import { EventDispatcher } from '../events/dispatcher.js'
import { Heart } from '../events/heart.js'
import type { Clock, Logger } from '../ports.js'
import type { EventGroup } from '../protocol/event.js'
import type { LamportClock } from '../protocol/lamport.js'
import type { WorkerState } from '../request/state.js'
import type { TaskEvents } from '../request/taskEvents.js'
import type { Settings } from '../settings/table.js'
import { VERSION } from '../version.js'

export interface WorkerEventsOptions {
  readonly settings: Settings
  readonly nodename: string
  readonly state: WorkerState
  readonly lamport: LamportClock
  readonly clock: Clock
  readonly broker: Broker
  log(scope: string): Logger
}

/** Sends this worker's events to monitors: its heartbeats, and what happens to its tasks. */
export class WorkerEvents implements Component {
  readonly name = 'events'
  readonly dispatcher: EventDispatcher
  /** Sends task events. */
  readonly tasks: TaskEvents
  readonly heart: Heart
  private readonly sink: EventSink

  constructor({ broker, clock, lamport, log, nodename, settings, state }: WorkerEventsOptions) {
    this.sink = broker.eventSink()
    this.dispatcher = new EventDispatcher({
      hostname: nodename,
      sink: this.sink,
      lamport,
      clock,
      log: log('events'),
      groups: eventGroups(settings),
    })
    this.tasks = new DispatchedTaskEvents({
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
  }

  /**
   * Number of events that were not sent: for lack of room while the broker was unavailable, or because they could not
   * be encoded.
   */
  get dropped(): number {
    return this.dispatcher.dropped + this.sink.dropped
  }

  start(): Promise<void> {
    return this.dispatcher.start()
  }

  stop(): Promise<void> {
    return this.dispatcher.stop()
  }
}

/** Without `-E`, a worker that neither gossips nor announces itself sends no events until it is asked to. */
function eventGroups(settings: Settings): EventGroup[] {
  if (settings.worker_send_task_events) return ['worker', 'task']
  return settings.without_gossip && settings.without_heartbeat ? [] : ['worker']
}
