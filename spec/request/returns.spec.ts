import { describe, expect, it } from '@jest/globals'
import { Returns, returnsOf } from '../../lib/request/returns.js'

const delivery = (redelivered: boolean, headers: Record<string, unknown>, isCounted = true) => ({
  isCounted,
  redelivered,
  properties: { headers },
})

describe('the returns of a message', () => {
  it.each([
    ['as RabbitMQ before 4.3 counts them', true, { 'x-delivery-count': 3 }, 3],
    ['as RabbitMQ 4.3 counts them', true, { 'x-delivery-count': 2, 'x-acquired-count': 5 }, 2],
    ["are none where the count is the sender's", false, { 'x-delivery-count': 99 }, 0],
    [
      "are no more than the broker's where the sender has one, too",
      true,
      { 'x-delivery-count': 99, 'x-acquired-count': 1 },
      1,
    ],
    ['are none where there is no count', true, {}, 0],
    ['are none where the count is no number', true, { 'x-delivery-count': '99' }, 0],
  ])('%s', (_what, redelivered, headers, expected) => {
    expect(returnsOf(delivery(redelivered, headers))).toBe(expected)
  })

  it('are none on a queue that is no quorum queue, whatever the sender writes', () => {
    expect(returnsOf(delivery(true, { 'x-delivery-count': 99 }, false))).toBe(0)
  })

  it('count less where the message is known to have gone back without a run', () => {
    const returns = new Returns()
    const again = delivery(true, { 'x-delivery-count': 3 })
    expect(returns.countable('a', again)).toBe(3)
    returns.add('a')
    returns.add('a')
    expect([returns.countable('a', again), returns.countable('b', again)]).toEqual([1, 3])
  })

  it('are remembered of the latest ten thousand messages at least', () => {
    const returns = new Returns()
    for (let n = 0; n < 35_000; n++) returns.add(`${n}`)
    const again = delivery(true, { 'x-delivery-count': 1 })
    const remembered = Array.from({ length: 35_000 }, (_, n) => n).filter((n) => returns.countable(`${n}`, again) === 0)
    expect(remembered.length).toBeGreaterThanOrEqual(10_000)
    expect(remembered.length).toBeLessThanOrEqual(20_000)
    expect(remembered[0]).toBe(35_000 - remembered.length)
  })
})
