import { AmqpBroker } from '../../lib/amqp/broker.js'
import { describeBroker } from '../conformance/broker.js'
import { ownBroker } from '../support/ownBroker.js'

describeBroker({ name: 'amqp', url: ownBroker(), create: (options) => new AmqpBroker(options) })
