import { randomUUID } from 'node:crypto'
import { it } from '@jest/globals'
import { testBroker } from '../../lib/conformance/broker.js'
import { MemoryBroker } from '../../lib/memory/broker.js'

let url = ''
testBroker(it, {
  name: 'memory',
  url: () => url,
  create: (options) => new MemoryBroker(options),
  before: () => {
    url = `memory://${randomUUID()}`
  },
})
