import type { Command } from 'commander'
import { coerceError } from '../../errors.js'
import { printable } from '../../protocol/printable.js'
import { type BrokerUrl, parseBrokerUrl } from '../../settings/brokerUrl.js'
import { configuredQueues, queueNamed } from '../../settings/queues.js'
import type { Client } from '../client.js'
import type { Perform } from '../perform.js'
import { CommandError, UsageError } from '../usage.js'

interface Binding {
  readonly destination: string
  readonly source: string
  readonly routing_key: string
}

const PORT = 15_672
const TIMEOUT_MS = 5000

/** `celeriac list bindings`: shows which exchange feeds which queue. */
export function addList(program: Command, perform: Perform): void {
  const list = program.command('list').description('Get info from broker. RabbitMQ needs its management plugin.')
  list
    .command('bindings')
    .description('Inspect queue bindings.')
    .action(() => perform(bindings))
}

async function bindings(client: Client): Promise<number> {
  const { output, settings } = client
  const [broker] = parseBrokerUrl(settings.broker_url)
  if (!broker) throw new CommandError('broker_url is empty')
  if (broker.isInProcess) throw new UsageError('Your transport cannot list bindings.')
  await client.broker().session(async (session) => {
    for (const name of configuredQueues(settings)) await session.declare(queueNamed(name, settings))
  })
  const row = (queue: string, exchange: string, key: string): void =>
    output.say(printable(`${queue.padEnd(28)} ${exchange.padEnd(28)} ${key}`))
  const found = await fetchBindings(broker, settings.broker_transport_options)
  row('Queue', 'Exchange', 'Routing Key')
  row('-'.repeat(16), '-'.repeat(16), '-'.repeat(16))
  for (const { destination, routing_key, source } of found) row(destination, source, routing_key)
  return 0
}

/** @param options kombu's `manager_hostname`, `manager_port`, `manager_userid` and `manager_password` @throws CommandError that says how to make it work */
async function fetchBindings(broker: BrokerUrl, options: Readonly<Record<string, unknown>>): Promise<Binding[]> {
  const host = String(options.manager_hostname ?? broker.hostname)
  const place = `http://${host.includes(':') ? `[${host}]` : host}:${options.manager_port ?? PORT}`
  const user = `${options.manager_userid ?? broker.username}:${options.manager_password ?? broker.password}`
  try {
    const response = await fetch(`${place}/api/bindings/${encodeURIComponent(broker.vhost)}`, {
      headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (!response.ok) throw new Error(`it answered ${response.status} ${response.statusText}`)
    return (await response.json()) as Binding[]
  } catch (thrown) {
    const error = coerceError(thrown)
    const { message } = error.cause === undefined ? error : coerceError(error.cause)
    throw new CommandError(
      `The bindings can't be listed: RabbitMQ's management API at ${place} failed: ${message}\n` +
        'Enable it with: rabbitmq-plugins enable rabbitmq_management',
    )
  }
}
