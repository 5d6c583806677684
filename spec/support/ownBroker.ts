import { afterAll, beforeAll } from '@jest/globals'
import { type Rabbitmq, startRabbitmq } from './rabbitmq.js'

/**
 * A broker for one spec file alone, where workers of other specs would be heard or found missing. To be called at the top of the
 * file, before its own hooks.
 * @returns what gives its URL, once the hooks have run
 */
export function ownBroker(): () => string {
  let broker: Rabbitmq | undefined
  beforeAll(async () => {
    broker = await startRabbitmq()
  })
  afterAll(async () => {
    await broker?.dispose()
  })
  return () => {
    if (!broker) throw new Error('the broker of this spec has not been started')
    return broker.url
  }
}
