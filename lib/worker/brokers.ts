import { AmqpBroker } from '../amqp/broker.js'
import type { Broker, BrokerFactory, BrokerOptions } from '../broker/broker.js'
import { MemoryBroker } from '../memory/broker.js'
import { parseBrokerUrl } from '../settings/brokerUrl.js'

const memory: BrokerFactory = (options) => new MemoryBroker(options)
const amqp: BrokerFactory = (options) => new AmqpBroker(options)

/** By the scheme of `broker_url`. The other brokers of a list are of the same kind as its first. */
const FACTORIES: Readonly<Record<string, BrokerFactory>> = {
  amqp,
  amqps: amqp,
  pyamqp: amqp,
  librabbitmq: amqp,
  memory,
}

/** The broker that `broker_url` names. Connects to nothing yet. */
export function createBroker(options: BrokerOptions): Broker {
  const [first] = parseBrokerUrl(options.settings.broker_url)
  return (FACTORIES[first?.transport ?? ''] ?? amqp)(options)
}
