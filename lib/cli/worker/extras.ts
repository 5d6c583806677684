import { ConfigurationError } from '../../errors.js'
import { ROWS } from '../../settings/table.js'

export interface Extras {
  /** Settings of the table, to be read as flags are. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Other names, to be checked as those of a configuration are. */
  readonly others: Readonly<Record<string, unknown>>
}

/**
 * Celery's `ns.key=value` arguments, after `--`: every existing setting; `worker` is the namespace if it is left out
 * (`.max_tasks_per_child=2`). A cast before the value, such as `(int)`, is accepted; the setting knows its own type.
 * @throws ConfigurationError for an argument of another form
 */
export function readExtras(args: readonly string[]): Extras {
  const flags: Record<string, unknown> = {}
  const others: Record<string, unknown> = {}
  const faults: string[] = []
  for (const arg of args) {
    const [, namespace, key, value] = /^(?:(\w*)\.)?(\w+)=(?:\(\w+\))?(.*)$/s.exec(arg) ?? []
    if (key === undefined) {
      faults.push(
        `worker ${JSON.stringify(arg)}: expected options, or after -- settings such as worker.prefetch_multiplier=7`,
      )
      continue
    }
    const name = namespace === undefined ? key : `${namespace || 'worker'}_${key}`
    const known = ROWS.get(name)
    if (known && !known.option) flags[name] = value
    else others[name] = value
  }
  if (faults.length > 0) throw new ConfigurationError(faults)
  return { flags, others }
}
