import { randomUUID } from 'node:crypto'
import { MemoryBroker } from '../../lib/memory/broker.js'
import { describeBroker } from '../conformance/broker.js'

let url = ''
describeBroker({
  name: 'memory',
  url: () => url,
  create: (options) => new MemoryBroker(options),
  before: () => {
    url = `memory://${randomUUID()}`
  },
})
