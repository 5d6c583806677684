import { describe, expect, it } from '@jest/globals'
import {
  beforeSettling,
  planned,
  type QueueWindow,
  type Subscription,
  targetOf,
} from '../../../lib/amqp/window/plan.js'

/** A consumer in short: its prefetch, what it holds of it, and its state. */
type Short = readonly [size: number, unsettled?: number, state?: Subscription['state']]

interface Given {
  readonly has?: readonly Short[]
  /** What is wanted. */
  readonly wants: number | null
  readonly byOne?: boolean
  readonly prefetch?: number
  readonly fixed?: number
}

function windowOf({ byOne = false, fixed = null as never, has = [], prefetch = 1, wants }: Given): QueueWindow {
  const subscriptions = has.map(([size, unsettled = 0, state = 'open'], at) => ({
    tag: `${at}`,
    size,
    unsettled,
    state,
  }))
  const counted = subscriptions.filter(({ state }) => state !== 'cancelling')
  return {
    prefetch,
    fixed,
    subscriptions,
    target: { messages: wants, byOne },
    size: counted.reduce((sum, { size }) => sum + Math.max(1, size), 0),
  }
}

const many = (count: number, ...short: Short): Short[] => Array.from({ length: count }, () => short)

describe('the next step of a queue', () => {
  it.each<readonly [rule: string, Given, step: string]>([
    ['1: the consumer that must stay as it is', { wants: 10, fixed: 10 }, 'open 10'],
    ['1: that too has no larger prefetch than AMQP has a number for', { wants: 65_535, fixed: 90_000 }, 'open 65535'],
    ['2: all that is missing', { has: many(2, 1), wants: 100, byOne: true }, 'open 98'],
    ['2: as far as AMQP has a number', { has: many(2, 1), wants: 100_000, byOne: true }, 'open 65535'],
    ['3: one of a small window', { has: many(2, 1), wants: 4 }, 'open 1'],
    ['3: one of a large window', { has: many(10, 4), wants: 100 }, 'open 4'],
    ['3: the last of a large window', { has: many(24, 4), wants: 99 }, 'open 3'],
    ['3: one for each slot with more messages than one', { wants: 8, prefetch: 4 }, 'open 4'],
    ['3: one without a limit', { wants: 1, prefetch: 0 }, 'open 0'],
    ['3: in place of one that is being cancelled', { has: [[1, 1, 'cancelling']], wants: 1 }, 'open 1'],
    ['4: an idle one, as all are to go', { has: [[1]], wants: null }, 'cancel 0'],
    ['4: a busy one, as all are to go', { has: [[1, 1]], wants: null }, 'cancel 0'],
    ['4: not one that is not open yet', { has: [[1, 0, 'opening'], [1]], wants: null }, 'cancel 1'],
    ['5: an idle one', { has: [[1, 1], [1], [1]], wants: 2 }, 'cancel 1'],
    ['5: an idle one that fits before one that does not', { has: [[4], [1], [2, 2]], wants: 6 }, 'cancel 1'],
    ['6: the idle one that is too large', { has: [[4], [1, 1]], wants: 3 }, 'exchange 0'],
    ['7: all are busy', { has: many(3, 1, 1), wants: 2 }, 'wait'],
    ['7: as many as wanted', { has: many(3, 1), wants: 3 }, 'wait'],
    ['7: as many as wanted, counting those to come', { has: many(3, 1, 0, 'opening'), wants: 3 }, 'wait'],
    ['7: one without a limit is as many as wanted', { has: [[0, 9]], wants: 1, prefetch: 0 }, 'wait'],
    ['7: none are left', { has: [[1, 1, 'cancelling']], wants: null }, 'wait'],
  ])('%s', (_rule, given, step) => expect(text(planned(only(given), false))).toBe(step))

  const only = (given: Given): Map<string, { window: QueueWindow }> => new Map([['q', { window: windowOf(given) }]])
})

function text(step: ReturnType<typeof planned>): string {
  if (!step) return 'wait'
  const [[verb, what]] = Object.entries(step[1]) as [[string, number | Subscription]]
  return `${verb} ${typeof what === 'number' ? what : what.tag}`
}

describe('the next step over all queues', () => {
  const idle = windowOf({ has: [[1]], wants: 1 })
  const growing = windowOf({ wants: 1 })
  const shrinking = windowOf({ has: [[1], [1]], wants: 1 })
  const large = windowOf({ has: [[98, 98]], wants: 98 })
  const plan = (windows: ReadonlyArray<QueueWindow | null>, split: boolean): string => {
    const step = planned(new Map(windows.map((window, at) => [`q${at}`, { at, window }])), split)
    return step ? `${step[0].at}: ${text(step)}` : 'wait'
  }

  it.each<readonly [rule: string, windows: ReadonlyArray<QueueWindow | null>, split: boolean, step: string]>([
    ['8: that of the first that has one', [idle, shrinking, growing], false, '1: cancel 0'],
    ['8: none of a queue that is to have none', [null, growing], false, '1: open 1'],
    ['8: before a large one is exchanged', [large, growing], true, '1: open 1'],
    ['9: one that is larger than usual, busy or not', [idle, large, large], true, '1: exchange 0'],
    ['9: not unless there is time', [idle, large], false, 'wait'],
    ['9: not one of the usual size', [windowOf({ has: many(25, 4), wants: 100 })], true, 'wait'],
    ['9: not one whose queue has that alone', [windowOf({ has: [[98]], wants: 98, fixed: 98 })], true, 'wait'],
    ['9: not one that is being cancelled', [windowOf({ has: [[98, 98, 'cancelling']], wants: null })], true, 'wait'],
  ])('%s', (_rule, windows, split, step) => expect(plan(windows, split)).toBe(step))
})

describe('before a message is settled', () => {
  it.each<readonly [rule: string, Given, at: number, first: ReturnType<typeof beforeSettling>]>([
    ['10: its consumer, which is too many, is cancelled', { has: many(3, 1, 0), wants: 2 }, 0, 'cancel'],
    ['10: its consumer is cancelled, as all are to go', { has: [[4, 3]], wants: null }, 0, 'cancel'],
    ['11: one of which half fits, since no other does, is exchanged', { has: many(2, 4, 3), wants: 6 }, 0, 'cancel'],
    ['11: one that is larger than usual is exchanged', { has: [[98, 50]], wants: 97 }, 0, 'cancel'],
    [
      '11: not while another one fits',
      {
        has: [
          [98, 50],
          [1, 1],
        ],
        wants: 98,
      },
      0,
      null,
    ],
    ['11: not one of which less than half fits', { has: many(20, 4, 3), wants: 79 }, 0, null],
    ['12: its consumer, idle then, can go', { has: [[4, 0], ...many(19, 4, 4)], wants: 79 }, 0, 'look'],
    ['13: nothing when as many are there as wanted', { has: many(2, 1, 0), wants: 2 }, 0, null],
    ['13: nothing when some are missing', { has: many(2, 1, 0), wants: 3 }, 0, null],
  ])('%s', (_rule, given, at, first) => {
    const window = windowOf(given)
    const subscription = [...window.subscriptions][at]
    if (!subscription) throw new Error('there is no such consumer')
    expect(beforeSettling(window, subscription)).toBe(first)
  })
})

describe('a target', () => {
  it.each<readonly [what: string, Given, messages: number | null, alone: boolean, target: QueueWindow['target']]>([
    ['is what is wanted', { wants: 0 }, 5, true, { messages: 5, byOne: false }],
    ['is one where there is no limit', { wants: 0, prefetch: 0 }, 5, true, { messages: 1, byOne: false }],
    ['is the same for any number where it is fixed', { wants: 0, fixed: 9 }, 2, false, { messages: 9, byOne: false }],
    ['is nothing where it is fixed, too', { wants: 9, has: [[9]], fixed: 9 }, 0, false, { messages: 0, byOne: false }],
    ['grows by one from the least that pays', { wants: 2, has: many(2, 1) }, 10, true, { messages: 10, byOne: true }],
    ['grows as usual by fewer', { wants: 2, has: many(2, 1) }, 9, true, { messages: 9, byOne: false }],
    ['grows as usual by less than there is', { wants: 9, has: many(9, 1) }, 17, true, { messages: 17, byOne: false }],
    ['grows as usual where others consume', { wants: 2, has: many(2, 1) }, 99, false, { messages: 99, byOne: false }],
    ['grows on by one', { wants: 99, byOne: true, has: many(2, 1) }, 98, false, { messages: 98, byOne: true }],
    ['shrinks as usual', { wants: 99, byOne: true, has: many(2, 1) }, 1, true, { messages: 1, byOne: false }],
    ['of no consumers is none', { wants: 9, has: many(2, 1) }, null, true, { messages: null, byOne: false }],
  ])('%s', (_what, given, messages, alone, target) => {
    expect(targetOf(windowOf(given), messages, alone)).toEqual(target)
  })
})
