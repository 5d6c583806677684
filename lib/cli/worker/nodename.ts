import { hostname as osHostname } from 'node:os'

/**
 * A worker's node name from what `-n` gives: `%h` the host, `%n` its first part, `%d` its domain, `%i` and `%I` the index of the process
 * (0 and nothing, since there is one), `%%` a percent sign. A name without an `@` is a host, as in Celery: `w1` is `celery@w1`.
 */
export function expandNodename(template: string, host: string = osHostname()): string {
  const [short = '', ...domain] = host.split('.')
  const name = expand(template, { h: host, n: short, d: domain.join('.') })
  if (!name.includes('@')) return `celery@${name}`
  return name.startsWith('@') ? `celery${name}` : name
}

/** The same for a path (`--logfile`, `--pidfile`), in which `%n` is the part of the node name before the `@`. */
export function expandPath(template: string, nodename: string, home: string | undefined): string {
  const [name = '', host = ''] = nodename.split('@')
  const path = expand(template, { h: host, n: name, d: host.split('.').slice(1).join('.') })
  return home === undefined ? path : path.replace(/^~(?=\/|$)/, () => home)
}

function expand(template: string, values: { readonly h: string; readonly n: string; readonly d: string }): string {
  const all: Readonly<Record<string, string>> = { ...values, i: '0', I: '', '%': '%' }
  return template.replace(/%(.)/g, (whole, letter: string) => all[letter] ?? whole)
}
