import { describe, expect, it } from '@jest/globals'
import {
  delayed,
  delayedKey,
  delayedRoute,
  headersToMove,
  headersToResend,
  isDelayable,
  LONGEST_DELAY,
  relay,
  returnRoute,
  wasReceived,
} from '../../lib/protocol/delay.js'
import { taskMessage } from '../support/message.js'

const ZEROS = (count: number): string => '0.'.repeat(count)
const NOW = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

describe('delayedKey', () => {
  it.each([
    [1, `${ZEROS(27)}1.qq`],
    [3, `${ZEROS(26)}1.1.qq`],
    [3600, `${ZEROS(16)}1.1.1.0.0.0.0.1.0.0.0.0.qq`],
    [LONGEST_DELAY, `${'1.'.repeat(28)}qq`],
  ])('writes %d s as 28 binary digits before the key', (seconds, key) => {
    expect(delayedKey(seconds, 'qq')).toBe(key)
  })

  it.each([0, -1, 0.5, LONGEST_DELAY + 1, Number.NaN])('refuses %d s', (seconds) => {
    expect(() => delayedKey(seconds, 'qq')).toThrow(RangeError)
  })
})

describe('delayedRoute', () => {
  it('rounds down to whole seconds', () => {
    expect(delayedRoute('qq', 3.999)).toEqual({ exchange: 'celery_delayed_1', routingKey: delayedKey(3, 'qq') })
  })

  it.each([
    [1, 'celery_delayed_0'],
    [2, 'celery_delayed_1'],
    [2047, 'celery_delayed_10'],
    [2048, 'celery_delayed_11'],
    [LONGEST_DELAY, 'celery_delayed_27'],
  ])('enters %d s at the level of its first one, %s', (seconds, exchange) => {
    expect(delayedRoute('qq', seconds)?.exchange).toBe(exchange)
  })

  it('has none for less than a second', () => {
    expect(delayedRoute('qq', 0.999)).toBeNull()
    expect(delayedRoute('qq', -5)).toBeNull()
    expect(delayedRoute('qq', Number.NaN)).toBeNull()
  })

  it('cuts what is longer than the longest delay', () => {
    expect(delayedRoute('qq', 1e12)?.routingKey).toBe(delayedKey(LONGEST_DELAY, 'qq'))
  })

  it('has none for a name that leaves no room for the digits in a routing key of 255 bytes', () => {
    expect(delayedRoute('q'.repeat(199), 10)?.routingKey).toHaveLength(255)
    expect(delayedRoute('q'.repeat(200), 10)).toBeNull()
    expect(isDelayable('ž'.repeat(100))).toBe(false)
  })
})

describe('returnRoute', () => {
  it('is the way it came for a message that was not delayed', () => {
    const delivery = { exchange: 'tasks', routingKey: 'a.b', queue: 'qq' }
    expect(returnRoute(delivery)).toEqual({ exchange: 'tasks', routingKey: 'a.b' })
  })

  it.each([
    ['celery_delayed_delivery', delayedKey(5, 'key')],
    ['celery_delayed_delivery', 'key'],
    ['other_celery_delayed_delivery', delayedKey(5, 'key')],
  ])('is the queue for one that came through %s with %s', (exchange, routingKey) => {
    expect(returnRoute({ exchange, routingKey, queue: 'qq' })).toEqual({ exchange: '', routingKey: 'qq' })
  })
})

describe('headersToResend', () => {
  it('leaves behind what brokers noted, and only that', () => {
    const own = { id: '1', 'x-delay': 5, 'x-mine': null, stamps: { a: 1 }, 'x-deathly': 1 }
    const noted = {
      'x-death': [{ queue: 'celery_delayed_1' }],
      'x-first-death-queue': 'celery_delayed_1',
      'x-first-death-reason': 'expired',
      'x-last-death-exchange': '',
      'x-delivery-count': 3,
      'x-acquired-count': 4,
      CC: ['other'],
      // A message of its own is received again.
      'celeriac-received': true,
    }
    expect(headersToResend({ ...own, ...noted })).toEqual(own)
  })
})

describe('headersToMove', () => {
  it('keeps whether the message was received, too', () => {
    const headers = { id: '1', 'celeriac-received': true, 'x-delivery-count': 3 }
    expect(headersToMove(headers)).toEqual({ id: '1', 'celeriac-received': true })
    expect(headersToMove({ ...headers, 'celeriac-received': 1 })).toEqual({ id: '1' })
  })
})

describe('delayed', () => {
  const message = { ...taskMessage('t'), exchange: '', routingKey: 'qq' }

  it('changes where a message goes and nothing else', () => {
    const expected = { ...message, exchange: 'celery_delayed_6', routingKey: delayedKey(90, 'qq'), mandatory: true }
    expect(delayed(message, 'qq', 90_000)).toEqual(expected)
  })

  it('has no answer for less than a second', () => {
    expect(delayed(message, 'qq', 999)).toBeNull()
  })
})

describe('relay', () => {
  const times = { id: 'the-id', eta: NOW + HOUR, expires: null }

  it('sends the very content and properties again, and notes that the message was received', () => {
    const { properties, content } = taskMessage('t', { args: [2 ** 60], headers: { eta: 'as it was', mine: [1] } })
    const full = { ...properties, priority: 7, replyTo: 'me', messageId: 'm', timestamp: 5, type: 'x' }
    const sent = relay({ queue: 'qq', properties: full, content }, times, NOW)
    expect(sent).toEqual({
      exchange: '',
      routingKey: 'qq',
      mandatory: true,
      properties: { ...full, headers: { ...full.headers, 'celeriac-received': true } },
      content,
    })
    expect([full.headers, sent?.properties.headers].map((headers) => wasReceived(headers ?? {}))).toEqual([false, true])
    expect(wasReceived({ 'celeriac-received': 1 })).toBe(false)
    expect(sent?.content).toBe(content)
  })

  it('leaves the death record of an earlier delay, and the user of the sender, behind', () => {
    const { properties, content } = taskMessage('t', { headers: { 'x-death': [{ queue: 'celery_delayed_1' }] } })
    const sent = relay({ queue: 'qq', properties: { ...properties, userId: 'alice' } as object, content }, times, NOW)
    expect(Object.keys(sent?.properties.headers ?? {})).not.toContain('x-death')
    expect(Object.keys(sent?.properties ?? {})).not.toContain('userId')
  })

  it('gives a message without a correlation id that of its task', () => {
    const sent = relay({ queue: 'qq', properties: {}, content: Buffer.of() }, times, NOW)
    expect(sent?.properties.correlationId).toBe('the-id')
  })

  it('lets the message live for what is left of its expires, not for what it had at first', () => {
    const delivery = { queue: 'qq', properties: { expiration: '9000000' }, content: Buffer.of() }
    expect(relay(delivery, { ...times, expires: NOW + 2 * HOUR }, NOW)?.properties.expiration).toBe('7200000')
    expect(relay(delivery, times, NOW)?.properties.expiration).toBeUndefined()
  })

  it.each([
    ['without an ETA', null],
    ['that is due within a second', NOW + 999],
  ])('keeps a message %s', (_, eta) => {
    expect(relay({ queue: 'qq', properties: {}, content: Buffer.of() }, { ...times, eta }, NOW)).toBeNull()
  })
})
