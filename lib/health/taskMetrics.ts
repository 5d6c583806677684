import { hostOf } from './host.js'
import type { Metrics, Read } from './metrics.js'
import type { TaskCounts } from './tally.js'

const LABELS = ['name', 'hostname', 'queue_name'] as const

const COUNTED = {
  sent: 'Task messages that tasks of this worker, and their retries, have published.',
  received: 'Task messages taken in, and tries that wait here for their turn.',
  started: 'Runs begun.',
  succeeded: 'Runs that succeeded.',
  retried: 'Runs that are to be tried again.',
  rejected: 'Messages rejected or requeued after their run.',
  revoked: 'Tasks that were revoked or had expired.',
} as const satisfies Partial<Record<keyof TaskCounts, string>>

/** Metrics of tasks, under celery-exporter's names and labels, so that its dashboards and alerts keep working. */
export function registerTaskMetrics(metrics: Metrics, nodename: string, tasks: Iterable<TaskCounts>): void {
  const hostname = hostOf(nodename)
  const labels = ({ name, queue }: TaskCounts): Record<string, string> => ({ name, hostname, queue_name: queue })
  const read = <Value>(of: (counts: TaskCounts) => Value): Read<Value> =>
    function* () {
      for (const counts of tasks) yield { value: of(counts), labels: labels(counts) }
    }
  for (const [name, help] of Object.entries(COUNTED)) {
    metrics.counter(
      `celery_task_${name}_total`,
      help,
      LABELS,
      read((counts) => counts[name as keyof typeof COUNTED]),
    )
  }
  metrics.counter('celery_task_failed_total', 'Runs that failed.', [...LABELS, 'exception'], function* () {
    for (const counts of tasks) {
      // Present from the start, as in celery-exporter, so that a query for failures finds a zero and not nothing.
      yield { value: 0, labels: { ...labels(counts), exception: '' } }
      for (const [exception, value] of counts.failed) yield { value, labels: { ...labels(counts), exception } }
    }
  })
  metrics.histogram(
    'celery_task_runtime',
    'Seconds that successful runs took.',
    read((counts) => counts.runtime),
  )
  // Two names for the same metric: celery-mixin's dashboards use the second.
  for (const name of ['celery_task_wait_seconds', 'celery_task_queue_wait_time']) {
    metrics.histogram(
      name,
      'Seconds from the receipt of a message, or from its ETA if that is later, to the start of its first run.',
      read((counts) => counts.wait),
    )
  }
}
