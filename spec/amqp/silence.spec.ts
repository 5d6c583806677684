import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Connection } from '../../lib/amqp/connection.js'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { connectionOptions } from '../../lib/amqp/options.js'
import { systemClock } from '../../lib/clock.js'
import { loadSettings } from '../../lib/settings/load.js'
import { type Link, openLink, through } from '../support/link.js'
import { MemoryLog } from '../support/memoryLog.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

describe('a connection whose broker has gone silent', () => {
  let link: Link
  let connection: Connection
  let epochs: Epoch[]
  let downs: number
  let onUp: (epoch: Epoch) => Promise<unknown>

  beforeEach(async () => {
    link = await openLink(Number(new URL(brokerUrl()).port))
    epochs = []
    downs = 0
    // Heartbeats would end it, too, minutes later.
    const config = { broker_url: through(brokerUrl(), link.port), broker_heartbeat: 0 }
    const { settings } = loadSettings({ config, env: {}, flags: {} })
    connection = new Connection({
      ...connectionOptions('consumer', settings, systemClock, new MemoryLog()),
      onUp: async (epoch) => {
        epochs.push(epoch)
        await onUp(epoch)
      },
      onDown: async () => {
        downs++
      },
    })
  })

  afterEach(async () => {
    await link.close()
    await connection.stop()
  })

  it('leaves nobody waiting for an answer once it is given up', async () => {
    onUp = async () => undefined
    await connection.start()
    await waitFor(() => epochs.length === 1, { what: 'the connection' })
    link.stall()
    const asked = epochs[0]?.scratch(async () => undefined)
    await new Promise(setImmediate)
    connection.renew('the process stood still')
    await expect(asked).rejects.toThrow()
  })

  it('comes back when it is given up while it is being built', async () => {
    onUp = async (epoch) => {
      if (epochs.length > 1) return
      link.stall()
      await epoch.channel()
    }
    await connection.start()
    await waitFor(() => epochs.length === 1, { what: 'the connection' })
    await new Promise(setImmediate)
    connection.renew('the process stood still')
    await waitFor(() => downs === 1, { what: 'its end' })
    link.resume()
    await waitFor(() => epochs.length === 2, { what: 'the next connection' })
  })

  it('can be stopped while it is being built', async () => {
    onUp = async (epoch) => {
      link.stall()
      await epoch.channel()
    }
    await connection.start()
    await waitFor(() => epochs.length === 1, { what: 'the connection' })
    await connection.stop()
    expect(epochs[0]?.ended.aborted).toBe(true)
  })
})
