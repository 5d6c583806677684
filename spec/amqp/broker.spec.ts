import { it } from '@jest/globals'
import { AmqpBroker } from '../../lib/amqp/broker.js'
import { testBroker } from '../../lib/conformance/broker.js'
import { ownBroker } from '../support/ownBroker.js'

testBroker(it, { name: 'amqp', url: ownBroker(), create: (options) => new AmqpBroker(options) })
