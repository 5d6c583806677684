import { beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Clock } from '../../lib/ports.js'
import { Agenda } from '../../lib/request/agenda.js'
import { FakeClock } from '../support/fakeClock.js'

describe('an agenda', () => {
  let clock: FakeClock
  let agenda: Agenda
  let done: string[]

  const note = (what: string) => (): void => void done.push(`${what} at ${clock.now() - 1_000_000}`)

  beforeEach(() => {
    clock = new FakeClock()
    agenda = new Agenda(clock)
    done = []
  })

  it('does each thing at its time, and has one timer at most', () => {
    for (const [what, delayMs] of [
      ['late', 30],
      ['soon', 10],
      ['now', -5],
      ['also soon', 10],
    ] as const) {
      agenda.setTimer(note(what), delayMs)
      expect(clock.pending).toBe(1)
    }
    clock.advance(10)
    expect(done).toEqual(['now at 0', 'soon at 10', 'also soon at 10'])
    clock.advance(20)
    expect(done.at(-1)).toBe('late at 30')
    expect(clock.pending).toBe(0)
  })

  it('leaves no timer behind once all is cancelled, and minds no second time', () => {
    const timers = [20, 10, 30].map((delayMs) => agenda.setTimer(note('cancelled'), delayMs))
    for (const timer of [...timers, ...timers]) timer.cancel()
    expect(clock.pending).toBe(0)
    clock.advance(100)
    expect(done).toEqual([])
  })

  it('takes in what is set, and leaves out what is cancelled, by something that is due', () => {
    agenda.setTimer(() => {
      other.cancel()
      agenda.setTimer(note('set meanwhile'), 0)
    }, 10)
    const other = agenda.setTimer(note('cancelled'), 10)
    clock.advance(10)
    expect(done).toEqual(['set meanwhile at 10'])
  })

  it('passes over any number of cancelled ones', () => {
    agenda.setTimer(note('first'), 10)
    const cancelled = Array.from({ length: 50_000 }, () => agenda.setTimer(note('cancelled'), 10))
    for (let left = 60_000; left > 0; left--) agenda.setTimer(() => undefined, 20)
    for (const timer of cancelled) timer.cancel()
    agenda.setTimer(note('last'), 10)
    clock.advance(10)
    expect(done).toEqual(['first at 10', 'last at 10'])
  })

  it('does what is left although something throws', () => {
    agenda.setTimer(() => {
      throw new Error('broken')
    }, 10)
    agenda.setTimer(note('next'), 10)
    expect(() => clock.advance(10)).toThrow('broken')
    clock.advance(0)
    expect(done).toEqual(['next at 10'])
  })

  it('does the same as a timer for each, whatever is set and cancelled', () => {
    const steps = fc.array(fc.record({ delayMs: fc.nat(50), cancel: fc.nat(300), wait: fc.nat(5) }), { maxLength: 300 })
    fc.assert(
      fc.property(steps, (steps) => {
        const runOn = (make: (clock: FakeClock) => Pick<Clock, 'setTimer'>): string[] => {
          const clock = new FakeClock()
          const timers = make(clock)
          const ran: string[] = []
          const set = steps.map(({ cancel, delayMs, wait }, index) => {
            const timer = timers.setTimer(() => void ran.push(`${index} at ${clock.now()}`), delayMs)
            return { timer, cancel, wait }
          })
          for (const { cancel, wait } of set) {
            set[cancel]?.timer.cancel()
            clock.advance(wait)
          }
          clock.advance(100)
          expect(clock.pending).toBe(0)
          return ran
        }
        expect(runOn((clock) => new Agenda(clock))).toEqual(runOn((clock) => clock))
      }),
    )
  })
})
