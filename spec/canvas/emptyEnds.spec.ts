import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { MemoryBackend } from '../../lib/backends/memory.js'
import {
  chordSignature,
  cloneSignature,
  listSignature,
  type Signature,
  type SignatureList,
  taskSignature,
} from '../../lib/canvas/signature.js'
import { Celery } from '../../lib/index.js'
import type { ResultTuple } from '../../lib/protocol/result.js'
import { type TestWorker, testWorker } from '../../lib/testing/testWorker.js'

const WAIT = { timeout: 10 }

const one = taskSignature('add', [1, 1])
const two = taskSignature('add', [2, 2])
const same = taskSignature('same')
const fail = taskSignature('fail')
const chain = (...tasks: Signature[]): Signature => listSignature('chain', tasks)
const group = (...tasks: Signature[]): SignatureList => listSignature('group', tasks)
const chord = (header: Signature[], body = same): Signature => chordSignature(group(...header), body)

describe('a chord whose header has a member that ends in a group without tasks', () => {
  const app = new Celery('empty', {})
  app.task('add', (x: number, y: number) => x + y)
  app.task('same', (value: unknown) => value)
  app.task('fail', () => {
    throw new RangeError('boom')
  })
  let here: TestWorker

  beforeAll(async () => {
    here = await testWorker(app)
  })

  afterAll(() => here.stop())

  it.each<[string, Signature, unknown]>([
    ['alone in a chain', chord([chain(group())]), [[]]],
    ['after a task', chord([chain(one, group())]), [[]]],
    ['beside a task', chord([chain(one, group()), two]), [[], 4]],
    ['after another such group', chord([chain(one, group(), group())]), [[]]],
    ['of such groups', chord([chain(one, group(group(), group()))]), [[]]],
    ['before a chain of no steps', chord([chain(one, group(), chain())]), [[]]],
    ['after a group', chord([chain(group(one, two), group()), two]), [[], 4]],
    ['after a task and a group', chord([chain(one, group(same, same), group())]), [[]]],
    ['after a chord', chord([chain(chord([one]), group())]), [[]]],
    ['as the body of a chord', chord([chord([one], group()), two]), [[], 4]],
    ['alone in a group of chains', chord([chain(one, group(chain(group())))]), [[[]]]],
    ['beside a task in a group', chord([chain(one, group(chain(group()), same))]), [[[], 2]]],
    ['in the header of the body', chord([one], chord([chain(same, group())])), [[]]],
    ['and a step after it', chord([chain(one, group(), same)]), [[]]],
    ['that is itself the member', chord([group(), one]), [2]],
  ])('gets to its body: %s', async (_, sig, value) => {
    const result = await app.signature({ ...cloneSignature(sig) }).delay()
    expect(await result.get(WAIT)).toEqual(value)
  })

  it.each<[string, Signature]>([
    ['before it', chord([chain(fail, group())])],
    ['some steps before it', chord([chain(fail, one, group(), group()), two])],
  ])('fails with a task %s', async (_, sig) => {
    const result = await app.signature({ ...cloneSignature(sig) }).delay()
    await expect(result.get(WAIT)).rejects.toThrow(/^Dependency .* raised ValueError\('boom'\)$/)
  })

  describe("and was counted by Python's client", () => {
    const { chords, groups } = new MemoryBackend()

    /** Sends the first step of the only member, as Python does. The last step has its ids. */
    async function send(steps: readonly Signature[]): Promise<string> {
      const [groupId, bodyId, id] = [randomUUID(), randomUUID(), randomUUID()]
      const body = taskSignature('same', [], {}, { task_id: bodyId, group_id: groupId })
      const own = { task_id: id, group_id: groupId, group_index: 0, chord: body }
      const [first, ...rest] = steps.map((step, at) => ({ ...step, options: at < steps.length - 1 ? {} : own }))
      const member: ResultTuple = [[id, null], []]
      await groups.save(groupId, [[groupId, null], [member]])
      await chords.setSize(groupId, 1)
      await app.signature({ ...first, options: { chain: rest.reverse() } }).delay()
      return bodyId
    }

    it('gets to its body', async () => {
      expect(await app.asyncResult(await send([one, group()])).get(WAIT)).toEqual([[]])
    })

    it('fails with a task before it', async () => {
      const body = app.asyncResult(await send([fail, same, group()]))
      await expect(body.get(WAIT)).rejects.toThrow(/^Dependency .* raised ValueError\('boom'\)$/)
    })
  })

  it('sends nothing for such a group elsewhere', async () => {
    const before = here.sent.of('celery.accumulate').length
    expect(await (await app.signature({ ...chain(one, group()) }).delay()).get(WAIT)).toEqual([])
    await app.signature({ ...chain(one, chord([two], group())) }).delay()
    await (await app.signature({ ...chain(one, same) }).delay()).get(WAIT)
    expect(here.sent.of('celery.accumulate')).toHaveLength(before)
  })
})
