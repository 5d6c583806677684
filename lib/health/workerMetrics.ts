import type { LinePart, QueuesPart, ScalingPart } from '../control/parts.js'
import type { FleetInfo } from '../fleet/info.js'
import type { Clock } from '../ports.js'
import { fleetQueues } from './fleetMetrics.js'
import { hostOf } from './host.js'
import type { Labels, Metrics, Read } from './metrics.js'

const BREAKER_STATES = ['closed', 'half-open', 'open'] as const

/** Data that the worker's metrics are read from. */
export interface WorkerMetricsSource {
  readonly nodename: string
  readonly version: string
  readonly pool: string
  readonly clock: Clock
  readonly line: Pick<LinePart, 'state' | 'lanes' | 'pool'>
  readonly scaling: Pick<ScalingPart, 'bounds'> & { readonly counts: ReadonlyMap<string, number> }
  readonly queues: Pick<QueuesPart, 'queues' | 'intake'>
  /** Recent depth of a queue; undefined while it isn't known. */
  depthOf(queue: string): { readonly ready: number; readonly consumers: number } | undefined
  /** Seconds that the oldest message of a queue has waited in it. */
  oldestSeconds(queue: string): number
  /** Queues whose order is kept over many workers. */
  fleets(): readonly FleetInfo[]
  /** Results that wait to be stored. */
  readonly backend: { readonly kept: number }
  readonly breakers: Iterable<{ readonly name: string; readonly state: string; readonly opens: number }>
  readonly pulse: { readonly utilisation: number; readonly latestMs: number }
  /** Control messages, replies and events that couldn't be read or sent, by kind. */
  dropped(): ReadonlyMap<string, number>
  /** Reasons why the worker isn't ready. */
  readiness(): readonly string[]
  /** True if messages may come in. */
  consuming(): boolean
}

/**
 * Metrics of the slots and the messages before them. Each gauge has the single label `hostname`, so that they can be
 * combined in a query.
 */
export function registerWorkerMetrics(metrics: Metrics, source: WorkerMetricsSource): void {
  const { line, pulse, scaling } = source
  const { pool, state } = line
  const own = { hostname: hostOf(source.nodename) }
  const gauge = (name: string, help: string, value: () => number): void =>
    metrics.gauge(name, help, ['hostname'], () => [{ value: value(), labels: own }])
  const known = (names: Iterable<string>) =>
    [...names].flatMap((name) => {
      const depth = source.depthOf(name)
      return depth ? [{ ...depth, labels: { queue_name: name } }] : []
    })
  /** Depths of the consumed queues, as far as they are known. */
  const depths = () => known(source.queues.queues.map(({ name }) => name))
  /** And those of a fleet's queues, whoever holds their lanes. */
  const allDepths = () =>
    known(new Set([...source.queues.queues.map(({ name }) => name), ...source.fleets().flatMap(fleetQueues)]))
  const queued = (): number => depths().reduce((sum, { ready }) => sum + ready, state.ready)

  gauge('celery_worker_up', 'Always 1 while the worker answers.', () => 1)
  gauge('celery_worker_tasks_active', 'Running tasks.', () => pool.busy)
  gauge(
    'celery_worker_ready',
    '1 while the worker is ready, as /readyz says.',
    () => +(source.readiness().length === 0),
  )
  gauge('celery_worker_consuming', '1 while messages may come in.', () => +source.consuming())
  gauge('celery_worker_slots', 'Slots: tasks that may run at the same time.', () => pool.size)
  gauge('celery_worker_slots_busy', 'Slots in which a task runs.', () => pool.busy)
  gauge('celery_worker_slots_max', 'Maximum number of slots.', () => scaling.bounds.max)
  gauge('celery_worker_slots_min', 'Minimum number of slots.', () => scaling.bounds.min)
  gauge('celery_worker_reserved', 'Received messages that wait for a slot.', () => state.ready)
  gauge(
    'celery_worker_parked',
    'Received messages that wait without using a slot: for their ETA, order key, rate limit, retry or breaker.',
    () => state.parked,
  )
  gauge('celery_worker_lanes', 'Order keys with messages in this worker.', () => count(line.lanes))
  gauge('celery_worker_lanes_blocked', 'Order keys that a failure has blocked until an operator unblocks them.', () =>
    count(line.lanes, ({ blocked }) => blocked),
  )
  gauge('celery_worker_lane_oldest_seconds', 'Seconds since the receipt of the oldest message with an order key.', () =>
    oldestKeyed(source),
  )
  gauge(
    'celery_worker_load',
    'Tasks that run and messages that wait for a slot, here and in the broker, for each slot; above 1 there is more to do than slots.',
    () => (pool.busy + queued()) / Math.max(1, pool.size),
  )
  gauge('celery_worker_strays', 'Runs that continue after their hard time limit.', () => state.strays)
  gauge('celery_worker_results_kept', "Results that aren't stored yet.", () => source.backend.kept)
  gauge(
    'celery_worker_event_loop_utilization',
    'Part of the last 15 seconds in which the event loop was busy, 0 to 1.',
    () => pulse.utilisation,
  )
  metrics.gauge(
    'celery_worker_info',
    'Always 1; its labels say what the worker is.',
    ['hostname', 'worker', 'version', 'node', 'pool'],
    () => [
      {
        value: 1,
        labels: {
          ...own,
          worker: source.nodename,
          version: source.version,
          node: globalThis.process.versions.node,
          pool: source.pool,
        },
      },
    ],
  )

  metrics.gauge(
    'celery_queue_length',
    'Messages ready in the queue, not delivered to a consumer.',
    ['queue_name'],
    () => allDepths().map(({ labels, ready: value }) => ({ value, labels })),
  )
  metrics.gauge(
    'celery_queue_oldest_wait_seconds',
    'Seconds that the oldest message has waited in the queue: an estimate from arrivals and depth.',
    ['queue_name'],
    () => depths().map(({ labels }) => ({ value: source.oldestSeconds(labels.queue_name), labels })),
  )
  metrics.untyped('celery_active_consumer_count', 'Consumers of the queue, of the whole fleet.', () =>
    allDepths().map(({ consumers: value, labels }) => ({ value, labels })),
  )

  /** Of this worker only; summed over the workers they are celery-exporter's figures. */
  const share = (name: string, help: string, value: () => number): void =>
    metrics.untyped(name, help, () =>
      source.queues.queues.map(({ name: queue_name }) => ({
        value: source.consuming() ? value() : 0,
        labels: { queue_name },
      })),
    )
  share('celery_active_worker_count', '1 while this worker consumes from the queue.', () => 1)
  share('celery_active_process_count', 'Slots of this worker, which its queues share.', () => pool.size)

  metrics.counter(
    'celery_worker_autoscale_decisions_total',
    'Decisions of the autoscaler, by reason.',
    ['hostname', 'reason'],
    byKey(own, 'reason', () => scaling.counts),
  )
  metrics.counter(
    'celery_worker_messages_refused_total',
    'Messages that were settled without becoming a task, by reason.',
    ['hostname', 'reason'],
    byKey(own, 'reason', () => state.refused),
  )
  metrics.counter(
    'celery_worker_dropped_total',
    "Messages other than tasks that couldn't be read or sent, by kind: control, reply, event, gossip.",
    ['hostname', 'kind'],
    byKey(own, 'kind', () => source.dropped()),
  )
  metrics.counter(
    'celery_worker_order_held_total',
    'Messages that had to wait for their order key beyond a limit: depth or age.',
    ['hostname', 'limit'],
    byKey(own, 'limit', () => new Map(Object.entries(state.heldBeyond))),
  )
  metrics.counter(
    'celery_worker_unordered_total',
    'Messages that run without order because their order key could not be determined.',
    ['hostname'],
    () => [{ value: state.unordered, labels: own }],
  )
  metrics.counter(
    'celery_worker_postponed_total',
    'Messages that were sent on, to wait for their ETA in the delay queues of the broker.',
    ['hostname'],
    () => [{ value: state.postponed, labels: own }],
  )
  metrics.gauge(
    'celery_worker_breaker_state',
    '1 for the state that a breaker is in.',
    ['hostname', 'breaker', 'state'],
    () =>
      [...source.breakers].flatMap(({ name, state }) =>
        BREAKER_STATES.map((each) => ({ value: +(each === state), labels: { ...own, breaker: name, state: each } })),
      ),
  )
  metrics.counter(
    'celery_worker_breaker_opens_total',
    'Times that a breaker has opened.',
    ['hostname', 'breaker'],
    () => [...source.breakers].map(({ name, opens }) => ({ value: opens, labels: { ...own, breaker: name } })),
  )
}

function byKey(own: Labels, key: string, counts: () => ReadonlyMap<string, number>): Read {
  return () => [...counts()].map(([name, value]) => ({ value, labels: { ...own, [key]: name } }))
}

function count<Item>(items: Iterable<Item>, wanted: (item: Item) => boolean = () => true): number {
  let found = 0
  for (const item of items) if (wanted(item)) found++
  return found
}

function oldestKeyed({ clock, line }: WorkerMetricsSource): number {
  // In the order of arrival; a request that waits for its ETA has no place in its lane yet.
  for (const { key, parkedFor, receivedAt } of line.state.requests) {
    if (key !== null && parkedFor !== 'eta') return (clock.monotonic() - receivedAt) / 1000
  }
  return 0
}
