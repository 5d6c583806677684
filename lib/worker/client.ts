import { BrokerOutlet } from '../app/brokerOutlet.js'
import type { Outlet } from '../app/outlet.js'
import { createBackend } from '../backends/index.js'
import { StartingBackend } from '../backends/starting.js'
import { systemClock } from '../clock.js'
import type { Logger } from '../ports.js'
import type { Settings } from '../settings/table.js'
import { createBroker } from './brokers.js'

/** Attempts to connect that a client makes by itself; each message brings its own number. */
const OWN_RETRIES = 3

/**
 * Opens the outlet of a program that runs no worker, or of its code outside of tasks.
 * @param replies the name of its reply queue
 */
export function openClient(settings: Settings, replies: string, log: Logger): Outlet {
  const broker = createBroker({ settings, clock: systemClock, maxRetries: OWN_RETRIES, log: () => log })
  const { publisher, results: inlet } = broker
  const backend = createBackend(settings, { publisher, log, replies: { queue: replies, inlet } })
  return new BrokerOutlet(broker, new StartingBackend(backend), settings)
}
