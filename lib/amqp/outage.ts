import type { Logger } from '../ports.js'
import type { Settings } from '../settings/table.js'
import type { ConnectionOptions } from './connection.js'

/** Whether the broker is away, as the worker's one connection that it can't do without finds: told of once, and not by each connection. */
export class Outage {
  /** For the connection that consumes. */
  readonly ofConsumer: Pick<ConnectionOptions, 'node' | 'onWaiting'>
  /** For the others. */
  readonly ofOthers: Pick<ConnectionOptions, 'node' | 'isTold'>
  private away = true

  constructor(node: string, { broker_read_url, broker_write_url }: Settings, log: Logger) {
    // Else they speak to another broker, of which the consumer's knows nothing.
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
