import { it } from '@jest/globals'
import { GuardedBackend } from '../../lib/backends/guarded.js'
import { MemoryBackend as OwnBackend } from '../../lib/backends/memory.js'
import { systemClock } from '../../lib/clock.js'
import { testBackend } from '../../lib/conformance/backend.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { MemoryLog } from '../support/memoryLog.js'

testBackend(it, { name: 'cache+memory://', create: () => new OwnBackend(), reads: true, chords: true })
testBackend(it, { name: 'of the specs', create: () => new MemoryBackend(), reads: true, shares: false })
testBackend(it, {
  name: 'of the specs behind a guard',
  create: () => new GuardedBackend(new MemoryBackend(), { clock: systemClock, log: new MemoryLog() }),
  reads: true,
  shares: false,
})
testBackend(it, {
  name: 'cache+memory:// behind a guard',
  create: () => new GuardedBackend(new OwnBackend(), { clock: systemClock, log: new MemoryLog() }),
  reads: true,
  chords: true,
})
