import type { Logger } from '../ports.js'
import type { Settings } from '../settings/table.js'
import type { ConnectionOptions } from './connection.js'

/**
 * Whether the broker is away, as seen by the consumer's connection, which the worker can't do without: logged once, not
 * by each connection.
 */
export class Outage {
  /** For the connection that consumes. */
  readonly ofConsumer: Pick<ConnectionOptions, 'node' | 'onWaiting'>
  /** For the others. */
  readonly ofOthers: Pick<ConnectionOptions, 'node' | 'isTold'>
  private away = true

  constructor(node: string, { broker_read_url, broker_write_url }: Settings, log: Logger) {
    // Otherwise they connect to another broker, about which the consumer's connection knows nothing.
    const isSame = broker_read_url === null && broker_write_url === null
    const waits = `${node} waits for the broker: it takes no messages until then, and starts by itself`
    this.ofConsumer = { node, onWaiting: () => log.warning(waits) }
    this.ofOthers = { node, isTold: () => this.away && isSame }
  }

  begin(): void {
    this.away = true
  }

  end(): void {
    this.away = false
  }
}
