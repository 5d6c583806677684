import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { connectionOptions } from '../../lib/amqp/options.js'
import { AmqpReplies } from '../../lib/amqp/replies.js'
import { loadSettings } from '../../lib/settings/load.js'
import { Client } from '../support/client.js'
import { FakeClock } from '../support/fakeClock.js'
import { type Link, openLink, through } from '../support/link.js'
import { MemoryLog } from '../support/memoryLog.js'
import { taskMessage } from '../support/message.js'
import { randomQueue } from '../support/randomName.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const LONGEST_PAUSE_MS = 60_000

describe('the reply queue of a client', () => {
  let client: Client
  let link: Link
  let log: MemoryLog
  let clock: FakeClock
  let replies: AmqpReplies
  let close: (() => Promise<void>) | undefined

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    link = await openLink(Number(new URL(brokerUrl()).port))
    log = new MemoryLog()
    clock = new FakeClock()
    const config = { broker_url: through(brokerUrl(), link.port) }
    const { settings } = loadSettings({ config, env: {}, flags: {} })
    replies = new AmqpReplies({ ...connectionOptions('consumer', settings, clock, log), maxRetries: 1 })
  })

  afterEach(async () => {
    await close?.()
    close = undefined
    await link.close()
    await client.close()
  })

  /** That were followed by another one. */
  const attempts = (): number => log.of('ERROR').filter((line) => line.includes('Cannot connect')).length
  /** Lets the pauses between attempts pass. */
  const passing = (condition: () => boolean | Promise<boolean>) => async (): Promise<boolean> => {
    clock.advance(LONGEST_PAUSE_MS)
    return condition()
  }

  it('is consumed again after an outage, however many attempts that takes', async () => {
    const queue = randomQueue()
    const heard: Buffer[] = []
    const asked = { name: queue, durable: true, autoDelete: true, arguments: {} } as const
    close = await replies.open(asked, (content) => heard.push(content))
    link.refuse()
    link.cut()
    await waitFor(
      passing(() => attempts() >= 5),
      { what: 'five attempts' },
    )
    link.accept()
    const answered = async (): Promise<boolean> => {
      // To a queue that isn't there yet it goes nowhere.
      await client.publish(queue, [taskMessage('spec.any')])
      return heard.length > 0
    }
    await waitFor(passing(answered), { what: 'a reply' })
  })

  it('is consumed again after it was deleted', async () => {
    const queue = randomQueue()
    const heard: Buffer[] = []
    const asked = { name: queue, durable: true, autoDelete: true, arguments: {} } as const
    close = await replies.open(asked, (content) => heard.push(content))
    await client.deleteQueue(queue)
    const answered = async (): Promise<boolean> => {
      await client.publish(queue, [taskMessage('spec.any')])
      return heard.length > 0
    }
    await waitFor(passing(answered), { what: 'a reply' })
  })

  it('is not waited for without end at the start', async () => {
    link.refuse()
    let outcome = 'open'
    const opening = replies
      .open({ name: randomQueue(), durable: true, autoDelete: true, arguments: {} }, () => undefined)
      .catch((thrown) => {
        outcome = String(thrown)
      })
    await waitFor(
      passing(() => outcome !== 'open'),
      { what: 'the end' },
    )
    await opening
    expect(outcome).toContain('no reply queue')
    expect(attempts()).toBe(1)
  })
})
