import { AmqpBroker } from '../amqp/broker.js'
import type { Broker, BrokerFactory, BrokerOptions } from '../broker/broker.js'
import { BROKERS } from '../broker/register.js'
import { MemoryBroker } from '../memory/broker.js'
import { MemoryServer } from '../memory/server.js'
import { parseBrokerUrl } from '../settings/brokerUrl.js'

const amqp: BrokerFactory = (options) => new AmqpBroker(options)
// `settings/` knows their URLs from the start.
for (const scheme of ['amqp', 'amqps', 'pyamqp', 'librabbitmq']) BROKERS.bring(scheme, amqp)
BROKERS.bring('memory', (options) => new MemoryBroker(options))

/** Deletes everything that brokers with this `memory://` URL hold in this process. */
export function forgetMemoryBroker(url: string): void {
  for (const each of parseBrokerUrl(url)) MemoryServer.forget(String(each))
}

/**
 * Creates the broker that `broker_url` names by its scheme; the other URLs of a list have the same scheme. Does not
 * connect yet.
 */
export function createBroker(options: BrokerOptions): Broker {
  const [first] = parseBrokerUrl(options.settings.broker_url)
  return (BROKERS.get(first?.transport ?? '') ?? amqp)(options)
}
