import type { IntakeOptions } from '../../lib/broker/intake.js'
import { systemClock } from '../../lib/clock.js'
import { MemoryLog } from './memoryLog.js'

/** What an intake of one slot is opened with. */
export function intakeOptions(more: Partial<IntakeOptions>): IntakeOptions {
  return {
    nodename: 'w@spec',
    prefetch: 1,
    maxSlots: 1,
    ordered: false,
    hasOrder: () => false,
    running: [],
    purged: [],
    clock: systemClock,
    log: new MemoryLog(),
    onDelivery: () => undefined,
    onLost: () => undefined,
    onRefused: () => undefined,
    ...more,
  }
}
