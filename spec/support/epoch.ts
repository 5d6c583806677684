import { Connection } from '../../lib/amqp/connection.js'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { connectionOptions } from '../../lib/amqp/options.js'
import { systemClock } from '../../lib/clock.js'
import type { Clock } from '../../lib/ports.js'
import { loadSettings } from '../../lib/settings/load.js'
import type { MemoryLog } from './memoryLog.js'

/** A connection under test, and its epochs as they come up. */
export interface ConnectionUnderTest {
  readonly connection: Connection
  readonly epochs: Epoch[]
  readonly lost: Epoch[]
  /** Why it gave up. */
  readonly ends: Error[]
}

export async function connectionTo(
  brokerUrl: string,
  log: MemoryLog,
  config: Record<string, unknown> = {},
  clock: Clock = systemClock,
): Promise<ConnectionUnderTest> {
  const { settings, faults } = loadSettings({ config: { broker_url: brokerUrl, ...config }, env: {}, flags: {} })
  if (faults.length > 0) throw new Error(faults.join('\n'))
  const epochs: Epoch[] = []
  const lost: Epoch[] = []
  const ends: Error[] = []
  const connection = new Connection({
    ...connectionOptions('consumer', settings, clock, log),
    onUp: async (epoch) => {
      epochs.push(epoch)
    },
    onDown: async (epoch) => {
      lost.push(epoch)
    },
    gaveUp: (error) => ends.push(error),
  })
  await connection.start()
  return { connection, epochs, lost, ends }
}
