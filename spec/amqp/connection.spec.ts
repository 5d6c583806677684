import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Connection } from '../../lib/amqp/connection.js'
import { systemClock } from '../../lib/clock.js'
import type { Clock } from '../../lib/ports.js'
import { connectionTo } from '../support/epoch.js'
import { freePort } from '../support/freePort.js'
import { type Link, openLink, through } from '../support/link.js'
import { MemoryLog } from '../support/memoryLog.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

describe('a connection', () => {
  let link: Link
  let log: MemoryLog
  let connection: Connection | undefined

  beforeEach(async () => {
    log = new MemoryLog()
    link = await openLink(Number(new URL(brokerUrl()).port))
  })

  afterEach(async () => {
    await connection?.stop()
    await link.close()
  })

  it('is a new epoch after each loss, the old one being void', async () => {
    const under = await connectionTo(through(brokerUrl(), link.port), log)
    connection = under.connection
    await waitFor(() => under.epochs.length === 1, { what: 'the first epoch' })
    link.cut()
    await waitFor(() => under.epochs.length === 2, { what: 'the second epoch' })
    expect(under.lost).toEqual([under.epochs[0]])
    expect(under.epochs.map((epoch) => epoch.ended.aborted)).toEqual([true, false])
    expect(log.of('WARNING')).toContain('consumer: Connection to broker lost. Trying to re-establish the connection...')
  })

  it('goes on trying, with pauses, until the broker is back', async () => {
    link.refuse()
    const under = await connectionTo(through(brokerUrl(), link.port), log)
    connection = under.connection
    await waitFor(() => log.of('ERROR').length >= 2, { what: 'two failed attempts' })
    expect(log.of('ERROR')[0]).toMatch(
      /^consumer: Cannot connect to amqp:\/\/.*\nTrying again in 0\.\d\d seconds\.\.\. \(1\/no limit\)$/s,
    )
    link.accept()
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
  })

  it('takes the next broker of the list at once when one is away', async () => {
    const under = await connectionTo(
      `${through(brokerUrl(), await freePort())};${through(brokerUrl(), link.port)}`,
      log,
    )
    connection = under.connection
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
    expect(log.of('ERROR')).toHaveLength(1)
    expect(log.of('ERROR')[0]).toContain('Will retry using next failover.')
  })

  it('names the virtual host that the broker refuses', async () => {
    const url = new URL(through(brokerUrl(), link.port))
    url.pathname = '/no%2Fwhere'
    const under = await connectionTo(url.href, log)
    connection = under.connection
    await waitFor(() => log.of('ERROR').length > 0, { what: 'a failed attempt' })
    expect(log.of('ERROR')[0]).toContain('the broker refuses the virtual host "no/where": it does not exist')
  })

  it('never shows the password', async () => {
    const url = new URL(through(brokerUrl(), await freePort()))
    url.username = 'someone'
    url.password = 'very-secret'
    const under = await connectionTo(url.href, log)
    connection = under.connection
    await waitFor(() => log.of('ERROR').length > 0, { what: 'a failed attempt' })
    expect(JSON.stringify(log.lines)).not.toContain('very-secret')
    expect(log.of('ERROR')[0]).toContain('someone:**@')
  })

  it('pauses longer and longer only between epochs that end as soon as they are up', async () => {
    const pauses: number[] = []
    let shift = 0
    const clock: Clock = {
      now: systemClock.now,
      monotonic: () => systemClock.monotonic() + shift,
      setTimer: (fn, delayMs) => {
        pauses.push(delayMs)
        return systemClock.setTimer(fn, 0)
      },
    }
    const under = await connectionTo(through(brokerUrl(), link.port), log, {}, clock)
    connection = under.connection
    const cut = async (count: number, livedMs: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        const { length } = under.epochs
        // It is built when the connection waits for its end, a turn later.
        await new Promise(setImmediate)
        shift += livedMs
        under.epochs.at(-1)?.end(new Error('cut'))
        await waitFor(() => under.epochs.length > length, { what: 'the next epoch' })
      }
    }
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
    await cut(5, 1500)
    expect(pauses).toEqual([])
    // The clock of this spec stands still but for the shift, so that a busy machine's epochs live no longer.
    const before = systemClock.monotonic()
    clock.monotonic = () => before + shift
    await cut(4, 10)
    expect(pauses).toHaveLength(3)
    expect(pauses.toSorted((a, b) => a - b)).toEqual(pauses)
    await cut(1, 1500)
    expect(pauses).toHaveLength(3)
  })

  it('stops at once while it waits for the next attempt', async () => {
    link.refuse()
    const under = await connectionTo(through(brokerUrl(), link.port), log, {
      broker_connection_retry_max_interval: 3600,
    })
    await waitFor(() => log.of('ERROR').length >= 3, { what: 'three failed attempts' })
    await under.connection.stop()
    expect(under.epochs).toEqual([])
  })

  describe('that may not be made again', () => {
    const disabled = expect.stringMatching(/\(app\.conf\.broker_connection_retry=False\)\. Shutting down\.\.\.$/)

    it('gives up when it is lost', async () => {
      const under = await connectionTo(through(brokerUrl(), link.port), log, { broker_connection_retry: false })
      connection = under.connection
      await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
      link.cut()
      await waitFor(() => under.ends.length === 1, { what: 'it to give up' })
      expect(log.of('CRITICAL')).toEqual([disabled])
      expect(under.lost).toEqual(under.epochs)
    })

    it('gives up at the start when each broker has been tried', async () => {
      const urls = `${through(brokerUrl(), await freePort())};${through(brokerUrl(), await freePort())}`
      const under = await connectionTo(urls, log, { broker_connection_retry: false })
      connection = under.connection
      await waitFor(() => under.ends.length === 1, { what: 'it to give up' })
      expect(log.of('ERROR')).toEqual([expect.stringContaining('Will retry using next failover.')])
      expect(under.ends[0]?.message).toContain('ECONNREFUSED')
    })

    it('may be tried for until it is up, if the setting for the start says so', async () => {
      link.refuse()
      const under = await connectionTo(through(brokerUrl(), link.port), log, {
        broker_connection_retry: false,
        broker_connection_retry_on_startup: true,
      })
      connection = under.connection
      await waitFor(() => log.of('ERROR').length >= 2, { what: 'two failed attempts' })
      link.accept()
      await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
      link.cut()
      await waitFor(() => under.ends.length === 1, { what: 'it to give up' })
    })
  })

  it('notices a peer that has gone silent, by its heartbeats', async () => {
    const under = await connectionTo(through(brokerUrl(), link.port), log, { broker_heartbeat: 1 })
    connection = under.connection
    await waitFor(() => under.epochs.length === 1, { what: 'the connection' })
    link.stall()
    await waitFor(() => under.lost.length === 1, { what: 'the loss to be noticed' })
    link.cut()
    link.resume()
    await waitFor(() => under.epochs.length === 2, { what: 'the next epoch' })
  })
})
