import { describe, expect, it } from '@jest/globals'
import { alternate } from './alternate.js'

function entrant(name: string, values: readonly number[], order: string[]) {
  let round = 0
  return {
    name,
    measure: async () => {
      order.push(name)
      return { rate: values[round++] ?? Number.NaN }
    },
  }
}

describe('alternate', () => {
  it('turns the order round every time', async () => {
    const order: string[] = []
    await alternate([entrant('a', [1, 2, 3], order), entrant('b', [4, 5, 6], order)], 3)
    expect(order).toEqual(['a', 'b', 'b', 'a', 'a', 'b'])
  })

  it('pairs what was measured in the same round', async () => {
    const rounds = await alternate([entrant('a', [10, 40, 90], []), entrant('b', [1, 2, 3], [])], 3)
    expect(rounds.of('a', 'rate')).toEqual({ median: 40, lowest: 10, highest: 90, rounds: [10, 40, 90] })
    expect(rounds.ratio('a', 'b', 'rate').rounds).toEqual([10, 20, 30])
  })

  it('knows nobody by another name', async () => {
    const rounds = await alternate([entrant('a', [1], [])], 1)
    expect(() => rounds.of('b', 'rate')).toThrow(RangeError)
  })

  it('fails with the measurement that fails', async () => {
    const failing = { name: 'a', measure: () => Promise.reject(new Error('no broker')) }
    await expect(alternate([failing], 2)).rejects.toThrow('no broker')
  })
})
