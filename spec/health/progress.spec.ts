import { describe, expect, it } from '@jest/globals'
import { Progress, type Work } from '../../lib/health/progress.js'

const IDLE: Work = { free: 4, ready: 0, held: 0, waiting: false, moved: 7 }

/** Looks each second. */
function looking(seconds: number, work: Partial<Work> | ((second: number) => Partial<Work>)): Progress {
  const progress = new Progress()
  for (let second = 0; second <= seconds; second++) {
    progress.look(second * 1000, { ...IDLE, ...(typeof work === 'function' ? work(second) : work) })
  }
  return progress
}

describe('the progress watchdog', () => {
  it('calls it a stall when requests that could run stay beside free slots', () => {
    expect(looking(119, { ready: 3, held: 3 }).stalled).toBe(false)
    expect(looking(120, { ready: 3, held: 3 }).stalled).toBe(true)
  })

  it('calls it a stall when a worker with nothing in hand gets nothing of what waits for it alone', () => {
    expect(looking(120, { waiting: true }).stalled).toBe(true)
  })

  it.each<[string, Partial<Work>]>([
    ['nothing is to be done', {}],
    ['every slot runs a long task', { free: 0, ready: 5, held: 9, waiting: true }],
    ['a long task runs and the rest of the queue is for later', { free: 3, held: 1, waiting: true }],
    ['messages are parked', { held: 500, waiting: true }],
  ])('is content while %s', (_, work) => {
    expect(looking(3600, work).stalled).toBe(false)
  })

  it('begins again with each thing that moves', () => {
    const progress = looking(3600, (second) => ({ ready: 1, held: 1, moved: Math.floor(second / 100) }))
    expect(progress.stalled).toBe(false)
    expect(progress.idleMs).toBeLessThan(100_000)
  })

  it('forgets a stall once it is over', () => {
    expect(looking(200, (second) => ({ waiting: second < 150 })).stalled).toBe(false)
  })

  it('knows nothing of the time that the machine slept', () => {
    const progress = new Progress()
    progress.look(0, { ...IDLE, waiting: true })
    progress.look(1_000, { ...IDLE, waiting: true })
    progress.look(4_000_000, { ...IDLE, waiting: true })
    expect(progress.stalled).toBe(false)
  })
})
