import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Celery } from '../../lib/celery.js'
import { Client } from '../support/client.js'
import { brokerUrl } from '../support/services.js'

describe('a client with rpc:// results', () => {
  let client: Client
  let app: Celery

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
  })

  afterEach(async () => {
    await app.close()
    await client.close()
  })

  it.each([0.0001, 4e8, 1e20])(
    'sends with a result_expires of %p, which RabbitMQ has no number for',
    async (seconds) => {
      app = new Celery('rpc', { broker_url: brokerUrl(), result_backend: 'rpc://', result_expires: seconds })
      await expect(app.sendTask('tasks.any', [], {}, { queue: await client.queue() })).resolves.toBeDefined()
    },
  )
})
