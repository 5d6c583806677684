import { GuardedBackend } from '../../lib/backends/guarded.js'
import { MemoryBackend as OwnBackend } from '../../lib/backends/memory.js'
import { systemClock } from '../../lib/clock.js'
import { describeBackend } from '../conformance/backend.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { MemoryLog } from '../support/memoryLog.js'

describeBackend({ name: 'cache+memory://', create: () => new OwnBackend(), reads: true })
describeBackend({ name: 'of the specs', create: () => new MemoryBackend(), reads: true })
describeBackend({
  name: 'of the specs behind a guard',
  create: () => new GuardedBackend(new MemoryBackend(), { clock: systemClock, log: new MemoryLog() }),
  reads: true,
})
