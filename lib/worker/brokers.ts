import { AmqpBroker } from '../amqp/broker.js'
import type { Broker, BrokerFactory, BrokerOptions } from '../broker/broker.js'
import { BROKERS } from '../broker/register.js'
import { MemoryBroker } from '../memory/broker.js'
import { MemoryServer } from '../memory/server.js'
import { parseBrokerUrl } from '../settings/brokerUrl.js'

const amqp: BrokerFactory = (options) => new AmqpBroker(options)
// Their URLs are known to `settings/` from the start.
for (const scheme of ['amqp', 'amqps', 'pyamqp', 'librabbitmq']) BROKERS.bring(scheme, amqp)
BROKERS.bring('memory', (options) => new MemoryBroker(options))

/** Drops all that brokers with this `memory://` URL have in this process. */
export function forgetMemoryBroker(url: string): void {
  for (const each of parseBrokerUrl(url)) MemoryServer.forget(String(each))
}

/** The broker that `broker_url` names: by its scheme, which the other brokers of a list share with the first. Connects to nothing yet. */
export function createBroker(options: BrokerOptions): Broker {
  const [first] = parseBrokerUrl(options.settings.broker_url)
  return (BROKERS.get(first?.transport ?? '') ?? amqp)(options)
}
