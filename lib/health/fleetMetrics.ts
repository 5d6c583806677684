import type { FleetInfo } from '../fleet/info.js'
import { laneName } from '../fleet/laneOf.js'
import { hostOf } from './host.js'
import type { Metrics } from './metrics.js'

/** Returns the names of a fleet's queue and its lanes. */
export function fleetQueues({ lanes, queue }: FleetInfo): string[] {
  return [queue, ...lanes.map(({ lane }) => laneName(queue, lane))]
}

/**
 * Returns the messages ready in a fleet's queue and all its lanes together; null in workers without the mover, which
 * don't know.
 */
export function fleetReady({ lanes, ready }: FleetInfo): number | null {
  if (ready === null) return null
  return lanes.reduce((sum, lane) => sum + (lane.ready ?? 0), ready)
}

/** Metrics of the order of keys over many workers, as far as this one sees it. None without `--fleet`. */
export function registerFleetMetrics(metrics: Metrics, nodename: string, fleets: () => readonly FleetInfo[]): void {
  const hostname = hostOf(nodename)
  const gauge = (name: string, help: string, value: (fleet: FleetInfo) => number): void =>
    metrics.gauge(name, help, ['hostname', 'queue_name'], () =>
      fleets().map((fleet) => ({ value: value(fleet), labels: { hostname, queue_name: fleet.queue } })),
    )
  metrics.gauge(
    'celery_fleet_queue_length',
    'Messages ready in a queue of --fleet and in all its lanes together. Only the worker with the mover reports it.',
    ['queue_name'],
    () =>
      fleets().flatMap((fleet) => {
        const value = fleetReady(fleet)
        return value === null ? [] : [{ value, labels: { queue_name: fleet.queue } }]
      }),
  )
  gauge('celery_worker_fleet_members', 'Workers of the fleet, as this one sees it.', ({ members }) => members.length)
  gauge('celery_worker_fleet_lanes', 'Lanes that this worker holds.', ({ lanes }) => count(lanes, 'held'))
  gauge(
    'celery_worker_fleet_lanes_draining',
    'Lanes that this worker hands over: something of them still runs.',
    ({ lanes }) => count(lanes, 'draining'),
  )
  gauge(
    'celery_worker_fleet_mover',
    '1 while this worker moves messages to the lanes. The sum over the workers of a fleet is 1.',
    ({ mover }) => +mover.here,
  )
  metrics.counter(
    'celery_worker_fleet_moved_total',
    'Messages that this worker has moved to lanes.',
    ['hostname', 'queue_name'],
    () => fleets().map(({ mover, queue }) => ({ value: mover.moved, labels: { hostname, queue_name: queue } })),
  )
}

function count(lanes: FleetInfo['lanes'], phase: FleetInfo['lanes'][number]['here']): number {
  return lanes.filter(({ here }) => here === phase).length
}
