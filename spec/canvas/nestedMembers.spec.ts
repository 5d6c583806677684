import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery, chain, chord, group, type Signature, type TaskContext } from '../../lib/index.js'
import { type TestWorker, testWorker } from '../../lib/testing/testWorker.js'

const WAIT = { timeout: 20 }

/** The tasks that end it are in a body, or in the body of that: each has to report to the chord around it. */
describe('a chord is a member of a chord, in the place of a task or added by one', () => {
  const app = new Celery('nested', {})
  const add = app.task('add', (x: number, y: number) => x + y)
  const sum = app.task('sum', (all: unknown[]): number =>
    (all.flat(9) as number[]).reduce((one, other) => one + other, 0),
  )
  const fail = app.task('fail', (): number => {
    throw new RangeError('boom')
  })
  const lazily = { lazy: true } as const
  const replaced = app.task('replaced', { bind: true }, (self: TaskContext, sig: Record<string, unknown>): number => {
    throw self.replace(app.signature(sig))
  })
  const adding = app.task('adding', { bind: true }, async (self: TaskContext, sig: Record<string, unknown>) => {
    await self.addToChord(app.signature(sig))
    return 0
  })
  const addingLazily = app.task('lazily', { bind: true }, async (self: TaskContext, sig: Record<string, unknown>) => {
    await (await self.addToChord(app.signature(sig), lazily)).delay()
    return 0
  })
  let here: TestWorker

  beforeAll(async () => {
    here = await testWorker(app, { concurrency: 4 })
  })
  afterAll(() => here.stop())

  const header = (first: Signature<readonly unknown[], number>) => [first, add.si(1, 1)]
  const bodies = {
    'a task': [() => sum.s(), 6],
    'a chain': [() => chain(sum.s(), add.s(1)), 7],
    'a chord': [() => chord([sum.s(), sum.s()], sum.s()), 12],
    'a chord whose body is a chain': [() => chord([sum.s(), sum.s()], chain(sum.s(), add.s(1))), 13],
    'a group': [() => group(sum.s(), sum.s()), 12],
    'a chain that ends in a group': [() => chain(sum.s(), group(add.s(1), add.s(2))), 15],
  } as unknown as Record<string, [() => Signature<readonly [number[]], number>, number]>
  const ways = { replaced, adding, addingLazily }
  const cases = Object.keys(bodies).flatMap((body) => Object.keys(ways).map((way) => [body, way] as const))

  it.each(cases)('whose body is %s: %s', async (body, way) => {
    const [make, gives] = bodies[body] as (typeof bodies)[string]
    const task = ways[way as keyof typeof ways]
    const member = (first: Signature<readonly unknown[], number>) =>
      task.si({ ...chord(header(first), make()).toJSON() })
    const good = await chord([member(add.si(2, 2)), add.si(100, 0)], sum.s()).delay()
    expect(await good.get(WAIT)).toBe(gives + 100)
    const bad = await chord([member(fail.si()), add.si(100, 0)], sum.s()).delay()
    await expect(bad.get(WAIT)).rejects.toMatchObject({ excType: 'ChordError' })
  })
})
