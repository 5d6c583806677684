import type { Parse } from './row.js'

/** Address that a server listens on. */
export interface Address {
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string
  /** Port; 0 for any free one. */
  readonly port: number
}

const FORM = /^(?:(?:\[([\da-f:.]+)\]|([^\s:/[\]]+)):)?(\d{1,5})$/i

/** Parses `HOST:PORT`, `[IPv6]:PORT`, or a port alone, which listens on this machine only. @throws TypeError */
export function parseAddress(text: string): Address {
  const [, ipv6, name, digits] = FORM.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535) {
    throw new TypeError('expected HOST:PORT, such as 127.0.0.1:9891, [::1]:9891 or 0.0.0.0:9891, or the port alone')
  }
  return { host: ipv6 ?? name ?? '127.0.0.1', port }
}

/** Formats an address as in settings and URLs. */
export function showAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Parses a setting that is an address; returns its text with the host filled in. */
export const address: Parse<string, string | number> = (raw) =>
  showAddress(parseAddress(typeof raw === 'number' ? String(raw) : typeof raw === 'string' ? raw.trim() : ''))
