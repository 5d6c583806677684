import { missingMethods, Register } from '../registers/register.js'
import { addTransport } from '../settings/brokerUrl.js'
import type { BrokerFactory } from './broker.js'

/** The methods that every broker has, beside `publisher` and `results`. */
const METHODS = ['declare', 'postpone', 'publishing', 'connect', 'intake', 'eventSink', 'replySink', 'session'] as const

/** How to read the URLs of a scheme. */
export interface RegisterOptions {
  /** Port of a URL that names none; by default 0, for no port. */
  readonly port?: number
}

/** Brokers by the scheme of `broker_url`. */
export const BROKERS = new Register<BrokerFactory>('registerBroker', 'a broker', [
  'amqp',
  'amqps',
  'pyamqp',
  'librabbitmq',
  'memory',
])

/**
 * Adds a broker: `broker_url` may then be a URL of this scheme, whose query is left to the broker. Call it where the
 * app is defined, so that the children of `-P prefork` and `-P threads` have it too. `celeriac/conformance` has the
 * test suite that a broker has to pass.
 * @example registerBroker('nats', (options) => new NatsBroker(options), { port: 4222 })
 * @throws TypeError for a scheme that is taken or invalid, and for a factory that is not a function
 */
export function registerBroker(scheme: string, factory: BrokerFactory, options: RegisterOptions = {}): void {
  const { port = 0 } = options
  BROKERS.checkScheme(scheme)
  BROKERS.checkFactory(scheme, factory)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw BROKERS.fault(`the port of ${scheme} is ${port}: expected an integer up to 65535`)
  }
  BROKERS.add(scheme, (options) => {
    const broker = factory(options)
    const missing =
      missingMethods(broker, METHODS) || (broker?.publisher && broker.results ? '' : 'publisher or results')
    if (missing !== '') throw BROKERS.fault(`the factory of ${scheme} returned no broker: it lacks ${missing}`)
    return broker
  })
  addTransport(scheme, port)
}
