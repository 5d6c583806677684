import { GuardedBackend } from '../../lib/backends/guarded.js'
import { systemClock } from '../../lib/clock.js'
import { describeBackend } from '../conformance/backend.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { MemoryLog } from '../support/memoryLog.js'

describeBackend({ name: 'memory://', create: () => new MemoryBackend(), reads: true })
describeBackend({
  name: 'memory:// behind a guard',
  create: () => new GuardedBackend(new MemoryBackend(), { clock: systemClock, log: new MemoryLog() }),
  reads: true,
})
