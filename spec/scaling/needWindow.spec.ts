import { describe, expect, it } from '@jest/globals'
import { greatestNeed, type NeedWindow, remember } from '../../lib/scaling/needWindow.js'

function rememberAll(needs: ReadonlyArray<readonly [now: number, need: number]>, keepaliveMs = 100): NeedWindow {
  return needs.reduce<NeedWindow>((window, [now, need]) => remember(window, need, now, keepaliveMs), [])
}

describe('the needs of the keepalive', () => {
  it('are none at first', () => {
    expect(greatestNeed([])).toBe(0)
  })

  it('give the greatest until it is older than the keepalive', () => {
    const until = (now: number): number =>
      greatestNeed(
        rememberAll([
          [0, 9],
          [10, 4],
          [50, 6],
          [60, 2],
          [now, 2],
        ]),
      )
    expect(until(61)).toBe(9)
    expect(until(109)).toBe(9)
    expect(until(110)).toBe(6)
    expect(until(159)).toBe(6)
    expect(until(160)).toBe(2)
  })

  it('give a greater one at once', () => {
    expect(
      greatestNeed(
        rememberAll([
          [0, 4],
          [1, 8],
        ]),
      ),
    ).toBe(8)
  })

  it('count a need until the next is known, however long that takes', () => {
    const window = rememberAll([
      [0, 9],
      [5000, 2],
    ])
    expect(greatestNeed(window)).toBe(9)
    expect(greatestNeed(remember(window, 2, 5099, 100))).toBe(9)
    expect(greatestNeed(remember(window, 2, 5100, 100))).toBe(2)
  })

  it('give the latest alone without a keepalive', () => {
    expect(
      greatestNeed(
        rememberAll(
          [
            [0, 9],
            [1, 2],
          ],
          0,
        ),
      ),
    ).toBe(2)
  })

  it('take no more room than there are different needs', () => {
    const window = rememberAll(
      Array.from({ length: 1000 }, (_, now) => [now, now % 7] as const),
      10_000,
    )
    expect(window.length).toBeLessThanOrEqual(7)
  })
})
