import type { Parse } from './row.js'

/** Where a server listens. */
export interface Address {
  /** A name or an IP address, an IPv6 one without brackets. */
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
}

const FORM = /^(?:(?:\[([\da-f:.]+)\]|([^\s:/[\]]+)):)?(\d{1,5})$/i

/** Reads `HOST:PORT`, `[IPv6]:PORT`, or a port alone, which means this machine only. @throws TypeError */
export function parseAddress(text: string): Address {
  const [, ipv6, name, digits] = FORM.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535) {
    throw new TypeError('expected HOST:PORT, such as 127.0.0.1:9891, [::1]:9891 or 0.0.0.0:9891, or the port alone')
  }
  return { host: ipv6 ?? name ?? '127.0.0.1', port }
}

/** An address as it is written in settings and URLs. */
export function showAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** A setting that is an address: its text, checked, with the host written out. */
export const address: Parse<string, string | number> = (raw) =>
  showAddress(parseAddress(typeof raw === 'number' ? String(raw) : typeof raw === 'string' ? raw.trim() : ''))
