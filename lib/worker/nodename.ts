import { hostname as osHostname } from 'node:os'
import { TABLE } from '../settings/table.js'

/**
 * Expands a worker's node name as given by `-n`: `%h` is the host, `%n` its first part, `%d` its domain, `%i` and `%I`
 * the index of the process (0 and nothing, since there is one), `%%` a percent sign. A name without an `@` is a host,
 * as in Celery: `w1` is `celery@w1`.
 */
export function expandNodename(template: string, host: string = osHostname()): string {
  const [short = '', ...domain] = host.split('.')
  const name = expand(template, { h: host, n: short, d: domain.join('.') })
  if (!name.includes('@')) return `celery@${name}`
  return name.startsWith('@') ? `celery${name}` : name
}

/**
 * Expands a path (`--logfile`, `--pidfile`) in the same way, except that `%n` is the part of the node name before the
 * `@`.
 */
export function expandPath(template: string, nodename: string, home: string | undefined): string {
  const [name = '', host = ''] = nodename.split('@')
  const path = expand(template, { h: host, n: name, d: host.split('.').slice(1).join('.') })
  return home === undefined ? path : path.replace(/^~(?=\/|$)/, () => home)
}

function expand(template: string, values: { readonly h: string; readonly n: string; readonly d: string }): string {
  const all: Readonly<Record<string, string>> = { ...values, i: '0', I: '', '%': '%' }
  return template.replace(/%(.)/g, (whole, letter: string) => all[letter] ?? whole)
}

/** Node names of the workers that programs have started in this process. */
const claimed = new Set<string>()

/**
 * Claims the node name of a worker that a program starts. By default it is made of the app's name and the process id,
 * and differs from those of other workers in the process: of two nodes with the same name monitors see only one.
 * @returns the name, and a function that frees it
 */
export function claimNodename(template: string, app: string, host: string = osHostname()): [string, () => void] {
  if (template !== TABLE.hostname.fallback) return [expandNodename(template, host), () => undefined]
  const base = `${app.replace(/[^\w.-]+/g, '-') || 'celery'}-${process.pid}`
  let name = `${base}@${host}`
  for (let number = 2; claimed.has(name); number++) name = `${base}-${number}@${host}`
  claimed.add(name)
  return [name, () => void claimed.delete(name)]
}
