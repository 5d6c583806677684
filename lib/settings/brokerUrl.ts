import { checkTlsWords } from './tlsWords.js'
import { splitUrl, type UrlParts } from './urlParts.js'

/** kombu's transport for a broker inside the process, whose URL has a host only as its name. */
const MEMORY = 'memory'
/** kombu's transports for RabbitMQ and for the process itself, with their default ports. */
const PORTS: ReadonlyMap<string, number> = new Map([
  ['amqp', 5672],
  ['pyamqp', 5672],
  ['librabbitmq', 5672],
  ['amqps', 5671],
  [MEMORY, 0],
])
/** Default ports of the transports that programs have added. */
const ADDED = new Map<string, number>()

/** Registers another URL scheme. @param port default port; 0 for no port */
export function addTransport(scheme: string, port: number): void {
  ADDED.set(scheme, port)
}

const LOGIN_METHODS = ['PLAIN', 'AMQPLAIN', 'EXTERNAL'] as const
export type LoginMethod = (typeof LOGIN_METHODS)[number]

const MASK = '**'

interface Parts {
  readonly transport: string
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly vhost: string
  /** Seconds; 0 turns heartbeats off. */
  readonly heartbeat?: number
  /** Seconds. */
  readonly connectTimeout?: number
  readonly loginMethod?: LoginMethod
  /** The query's `ssl_*` arguments, without the prefix. */
  readonly ssl?: Readonly<Record<string, string>>
}

/**
 * Address of a broker, with user and password. As text it has no password: `amqp://guest:**@127.0.0.1:5672//`, as
 * kombu's `as_uri`.
 */
export class BrokerUrl implements Parts {
  readonly transport: string
  readonly tls: boolean
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly vhost: string
  readonly heartbeat?: number
  readonly connectTimeout?: number
  readonly loginMethod?: LoginMethod
  readonly ssl?: Readonly<Record<string, string>>

  constructor(parts: Parts) {
    this.transport = parts.transport
    this.tls = parts.transport === 'amqps' || parts.ssl !== undefined
    this.hostname = parts.hostname
    this.port = parts.port
    this.username = parts.username
    this.password = parts.password
    this.vhost = parts.vhost
    if (parts.heartbeat !== undefined) this.heartbeat = parts.heartbeat
    if (parts.connectTimeout !== undefined) this.connectTimeout = parts.connectTimeout
    if (parts.loginMethod !== undefined) this.loginMethod = parts.loginMethod
    if (parts.ssl !== undefined) this.ssl = parts.ssl
  }

  /** True for a broker inside the process, which nobody else can reach. */
  get isInProcess(): boolean {
    return this.transport === MEMORY
  }

  toString(): string {
    if (this.isInProcess) return `${MEMORY}://${this.hostname}/${this.vhost}`
    const host = this.hostname.includes(':') ? `[${this.hostname}]` : this.hostname
    const user = this.username === '' ? '' : `${encodeURIComponent(this.username)}:${MASK}@`
    return `${this.transport}://${user}${host}${this.port === 0 ? '' : `:${this.port}`}/${this.vhost}`
  }
}

/**
 * Parses a broker URL, or several joined by `;`, by kombu's rules: missing parts have their defaults, `localhost` is
 * 127.0.0.1, and `amqp://h`, `amqp://h/` and `amqp://h//` all mean the virtual host `/`.
 * @throws TypeError that says what is expected, without the password
 */
export function parseBrokerUrl(text: string): BrokerUrl[] {
  return text
    .split(';')
    .filter((url) => url.trim() !== '')
    .map((url) => parseOne(url.trim()))
}

function parseOne(text: string): BrokerUrl {
  const [transport = ''] = text.toLowerCase().split('://', 1)
  const added = text.includes('://') ? ADDED.get(transport) : undefined
  if (added !== undefined) return addedUrl(text, transport, added)
  const defaultPort = text.includes('://') ? PORTS.get(transport) : undefined
  if (defaultPort === undefined) {
    const others = [...ADDED.keys()].map((scheme) => `, or ${scheme}://`).join('')
    throw new TypeError(
      `expected a RabbitMQ URL such as amqp://user:password@host:5672/vhost (or amqps, pyamqp, librabbitmq), or memory://${others}`,
    )
  }
  const url = splitUrl(text)
  if (url === null) throw new TypeError('expected host and port as in amqp://user:password@host:5672/vhost')
  return new BrokerUrl({
    transport,
    hostname: hostOf(transport, url.hostname),
    port: url.port || defaultPort,
    username: url.username || 'guest',
    password: url.password || 'guest',
    vhost: url.path || '/',
    ...queryOf(url.query),
  })
}

/** Parses the URL of an added transport. Its broker interprets the parts, and also gets the URL unchanged. */
function addedUrl(text: string, transport: string, defaultPort: number): BrokerUrl {
  const url = splitUrl(text)
  if (url === null) throw new TypeError(`expected host and port as in ${transport}://user:password@host:1234/path`)
  const { hostname, password, path: vhost, port, username } = url
  return new BrokerUrl({ transport, hostname, port: port || defaultPort, username, password, vhost })
}

function hostOf(transport: string, hostname: string): string {
  if (hostname !== '' && hostname !== 'localhost') return hostname
  return transport === MEMORY ? 'localhost' : '127.0.0.1'
}

function queryOf(query: UrlParts['query']): Pick<Parts, 'heartbeat' | 'connectTimeout' | 'loginMethod' | 'ssl'> {
  const ssl: Record<string, string> = {}
  let found: Pick<Parts, 'heartbeat' | 'connectTimeout' | 'loginMethod'> = {}
  for (const [name, value] of query) {
    if (name === 'heartbeat') found = { ...found, heartbeat: secondsIn(name, value) }
    else if (name === 'connect_timeout') found = { ...found, connectTimeout: secondsIn(name, value) }
    else if (name === 'login_method') found = { ...found, loginMethod: loginMethodIn(value) }
    else if (name.startsWith('ssl_')) ssl[name.slice(4)] = value
    else if (name !== 'insist') {
      throw new TypeError(
        `the query has ${JSON.stringify(name)}; expected heartbeat, connect_timeout, login_method, insist or ssl_...`,
      )
    }
  }
  checkTlsWords(ssl)
  return Object.keys(ssl).length > 0 ? { ...found, ssl } : found
}

function secondsIn(name: string, value: string): number {
  if (!/^\d+(\.\d+)?$/.test(value))
    throw new TypeError(`the query's ${name} is ${JSON.stringify(value)}; expected seconds`)
  return Number(value)
}

function loginMethodIn(value: string): LoginMethod {
  const method = LOGIN_METHODS.find((method) => method === value.toUpperCase())
  if (!method) {
    throw new TypeError(
      `the query's login_method is ${JSON.stringify(value)}; expected one of ${LOGIN_METHODS.join(', ')}`,
    )
  }
  return method
}
