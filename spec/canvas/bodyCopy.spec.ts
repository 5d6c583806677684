import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { MemoryChords } from '../../lib/backends/memoryChords.js'
import { Celery, chain, chord, group, type Signature } from '../../lib/index.js'
import { type TestWorker, testWorker } from '../../lib/testing/testWorker.js'
import { waitFor } from '../support/waitFor.js'

type AnySignature = Signature<never, unknown, unknown>

describe('the body of a chord that is sent twice, since its last member ran twice', () => {
  const app = new Celery('copies', {})
  let here: TestWorker
  let ran: string[]
  const one = app.task('one', () => 1)
  const body = app.task('body', (_: unknown, name: string) => {
    ran.push(name)
  })

  beforeEach(async () => {
    ran = []
    here = await testWorker(app, { concurrency: 4 })
  })
  afterEach(async () => {
    jest.restoreAllMocks()
    await here.stop()
  })

  const discarded = (): number => here.log.of('INFO').filter((line) => line.includes('the other copy runs')).length

  it.each<[string, AnySignature, doors: number, string[]]>([
    ['a task', chord([one.s()], body.s('a')), 1, ['a']],
    ['a group', chord([one.s()], group(body.s('a'), body.s('b'))), 2, ['a', 'b']],
    ['a chain', chord([one.s()], chain(body.s('a'), body.s('b'))), 1, ['a', 'b']],
    ['a chord', chord([one.s()], chord([body.s('a'), body.s('b')], body.s('c'))), 2, ['a', 'b', 'c']],
  ])('runs once: %s', async (_, sig, doors, names) => {
    sig.freeze()
    // Its worker was lost before that; and then the member, with one id for each part, is delivered again.
    jest.spyOn(MemoryChords.prototype, 'close').mockResolvedValue()
    for (let time = 0; time < 2; time++) await app.signature({ ...sig.toJSON() }).delay()
    await waitFor(() => discarded() === doors && ran.length >= names.length, { what: 'the copies', everyMs: 5 })
    expect(ran.sort()).toEqual(names)
  })

  it('runs twice if the header is sent anew, with the same ids', async () => {
    const sig = chord([one.s()], body.s('a'))
    sig.freeze()
    for (const runs of [1, 2]) {
      await app.signature({ ...sig.toJSON() }).delay()
      await waitFor(() => ran.length === runs, { what: 'the body', everyMs: 5 })
    }
    expect(discarded()).toBe(0)
  })

  it('runs twice if two chords have it, with one id', async () => {
    const taskId = randomUUID()
    for (let time = 0; time < 2; time++) await chord([one.s()], body.s('a').set({ taskId })).delay()
    await waitFor(() => ran.length === 2, { what: 'both runs', everyMs: 5 })
    expect(discarded()).toBe(0)
  })
})
