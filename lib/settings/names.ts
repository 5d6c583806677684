import { flagLabel } from './row.js'
import { ROWS } from './table.js'

/** Celery's settings that have no meaning here. A configuration may hold them: they are ignored, with a warning. */
const WITHOUT_ROW: ReadonlySet<string> = new Set(
  `result_accept_content broker_transport_options broker_channel_error_retry broker_pool_limit broker_heartbeat_checkrate
  broker_host broker_port broker_user broker_password broker_vhost broker_transport
  control_queue_ttl control_queue_expires control_exchange control_queue_exclusive control_queue_durable
  event_queue_ttl event_queue_expires event_queue_prefix event_queue_exclusive event_queue_durable event_exchange event_serializer
  redis_host redis_port redis_db redis_username redis_password redis_max_connections   redis_socket_keepalive redis_retry_on_timeout redis_backend_health_check_interval redis_client_name
  result_serializer result_compression result_cache_max   result_exchange result_exchange_type result_chord_retry_interval result_chord_join_timeout result_backend_always_retry
  result_backend_max_retries result_backend_base_sleep_between_retries_ms result_backend_max_sleep_between_retries_ms
  task_acks_on_failure task_acks_on_timeout task_annotations task_compression task_protocol
  task_create_missing_queue_type task_create_missing_queue_exchange_type task_inherit_parent_priority
  task_publish_retry_policy task_allow_error_cb_on_chord_header task_remote_tracebacks
  worker_autoscaler worker_consumer worker_timer worker_eta_task_limit worker_enable_prefetch_count_reduction
  worker_detect_quorum_queues worker_hijack_root_logger worker_redirect_stdouts_level
  worker_lost_wait worker_proc_alive_timeout worker_timer_precision worker_pool_putlocks worker_pool_restarts
  beat_schedule beat_scheduler beat_schedule_filename beat_max_loop_interval beat_sync_every
  task_always_eager task_eager_propagates task_store_eager_result task_cls deprecated_settings`.split(/\s+/),
)

/** Their upper-case names from before Celery 4 begin like this. */
const OLD_PREFIX = /^(?:BROKER|CELERY|CELERYD|CELERYBEAT|CONTROL|ENABLE)_/

const OLD: ReadonlyMap<string, string> = new Map(
  [...ROWS].flatMap(([name, { old }]) => (old === undefined ? [] : [[old, name] as const])),
)

/** What a name in an app's configuration means: a setting, perhaps under its old name, or nothing, and then why. */
export type Meaning = { readonly setting: string; readonly warning?: string } | { readonly warning: string }

/** Looks a name of an app's configuration up. */
export function meaningOf(name: string): Meaning {
  const row = ROWS.get(name)
  if (row && !row.option) return { setting: name }
  if (row)
    return { warning: `app config ${name}: is an option of the command line only (${flagLabel(name, row)}); ignored` }
  const renamed = OLD.get(name)
  if (renamed !== undefined) {
    return {
      setting: renamed,
      warning: `app config ${name}: is the old name of ${renamed}; it counts, but write the new one`,
    }
  }
  // With a namespace, as Django projects have it, CELERY_ stands before the present name in capitals.
  const bare = name.toLowerCase().replace(/^celery_/, '')
  if (WITHOUT_ROW.has(bare)) return { warning: `app config ${name}: has no effect here; ignored` }
  const guess = ROWS.has(bare) ? bare : nearest(name)
  if (guess !== undefined) return { warning: `app config ${name}: is no setting; did you mean ${guess}? Ignored` }
  if (OLD_PREFIX.test(name)) return { warning: `app config ${name}: has no effect here; ignored` }
  return { warning: `app config ${name}: is no setting; ignored` }
}

/** The setting whose name is the fewest changes away, if it isn't too far. */
function nearest(name: string): string | undefined {
  const lower = name.toLowerCase()
  const known = [...ROWS].flatMap(([setting, row]) => (row.option ? [] : [setting]))
  const near = [...known, ...WITHOUT_ROW]
    .map((setting) => ({ setting, distance: distance(lower, setting) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return near !== undefined && near.distance <= Math.max(2, name.length / 4) ? near.setting : undefined
}

/** Levenshtein's distance: insertions, deletions and replacements of one character. */
function distance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let i = 1; i <= from.length; i++) {
    const current = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
