import type { AmqpTable } from '../protocol/amqp.js'

/** Headers that Celery's `Context` has attributes for, and others that it leaves out. */
const CELERYS: ReadonlySet<string> = new Set(
  `args callbacks called_directly chain chord correlation_id delivery_info errbacks eta expires group group_index headers hostname id
  ignore_result is_eager kwargs logfile loglevel origin parent_id properties retries reply_to replaced_task_nesting root_id shadow
  taskset timelimit utc stamped_headers stamps update clear get as_execution_options children lang task argsrepr kwargsrepr
  compression celeriac-received celeriac-copy`.split(/\s+/),
)

/**
 * Returns the headers that the sender added to Celery's own. Mirrors `Context._get_custom_headers` of Celery 5.6; empty
 * where that is None.
 */
export function customHeaders(headers: AmqpTable): AmqpTable {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !CELERYS.has(name)))
}
