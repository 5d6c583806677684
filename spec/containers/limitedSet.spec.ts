import { afterEach, describe, expect, it } from '@jest/globals'
import { LimitedSet } from '../../lib/containers/limitedSet.js'
import { FakeClock } from '../support/fakeClock.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { ROOT } from '../support/workerProgram.js'

/** In a process of its own, whose heap is small and still. Prints by what factor the heap grows with the renewals. */
const RENEWALS = `
  import { LimitedSet } from './build/lib/containers/limitedSet.js'
  const set = new LimitedSet({ clock: { now: () => 0 }, maxSize: 50_000, expiresMs: 1 })
  const ids = Array.from({ length: 201 }, (_, at) => 'id-' + at)
  const heapAfter = (rounds) => {
    for (let round = 0; round < rounds; round++) for (const id of ids) set.add(id, 0)
    gc()
    return process.memoryUsage().heapUsed
  }
  const before = heapAfter(1)
  console.log(heapAfter(2000) / before)
`

describe('a limited set', () => {
  afterEach(killAllPrograms)

  it('needs no more memory however often its members are renewed', async () => {
    const flags = ['--expose-gc', '--input-type=module']
    const program = runProgram(process.execPath, [...flags, '-e', RENEWALS], { cwd: ROOT })
    expect(await program.exited).toMatchObject({ code: 0 })
    expect(Number(program.stdout)).toBeLessThan(1.5)
  })

  it.each([3, 40, 1000])('forgets the oldest of %s first, in any order of adding and renewing', (maxSize) => {
    const clock = new FakeClock()
    const set = new LimitedSet({ clock, maxSize, expiresMs: 700 })
    let expected: (readonly [member: string, at: number])[] = []
    for (let step = 0; step < 3000; step++) {
      const member = `m${(step * step + (step >> 3)) % 67}`
      set.add(member, clock.now())
      expected = [...expected.filter(([other]) => other !== member), [member, clock.now()] as const].slice(-maxSize)
      clock.advance(step % 500 === 0 ? 650 : 1)
      if (step % 90 !== 0) continue
      expected = expected.filter(([, at]) => clock.now() - at < 700)
      expect(set.entries()).toEqual(expected)
      expect(set.size).toBe(expected.length)
    }
  })
})
