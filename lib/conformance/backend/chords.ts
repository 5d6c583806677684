import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ChordPart, ChordStore, GroupStore } from '../../ports.js'
import { encodeException } from '../../protocol/exception.js'
import { taskTuple } from '../../protocol/result.js'
import { EncodeError } from '../../protocol/resultText.js'
import { type AddCase, waitFor } from '../suite.js'
import type { BackendBench, BackendCase } from './bench.js'

const MANY = 50

/** A backend that counts chords, as cases need it. */
interface Chorded {
  readonly chords: ChordStore
  readonly groups: GroupStore
  /** Returns another backend on the same store. */
  other(): Promise<ChordStore>
}

function chordedOf({ backend: { chords, groups }, of, started }: BackendBench): Chorded {
  if (!chords || !groups) throw new Error(`${of.name} has no chords or no groups, although its case says so`)
  const other = async (): Promise<ChordStore> => {
    const backend = await started(await of.create())
    return backend.chords ?? chords
  }
  return { chords, groups, other }
}

/** Makes a member that has succeeded, with its index as the result. */
function partOf(groupId: string, groupIndex: number | null, more: Partial<ChordPart> = {}): ChordPart {
  return { groupId, groupIndex, id: randomUUID(), state: 'SUCCESS', result: groupIndex, isRepeated: false, ...more }
}

/** Tests for backends that count chords. */
export function chords(it: AddCase<BackendBench>, { outage }: BackendCase): void {
  it('completes a chord by its last member, and has the results in the order of the header', async (bench) => {
    const { chords, other } = chordedOf(bench)
    const far = await other()
    await chords.setSize(bench.id, 3)
    equal(await chords.addPart(partOf(bench.id, 2)), null)
    equal(await far.addPart(partOf(bench.id, 0)), null)
    ok(await chords.addPart(partOf(bench.id, 1)))
    deepEqual(
      (await far.members(bench.id)).map(({ result }) => result),
      [0, 1, 2],
    )
    await chords.close(bench.id)
  })

  it('tells one of many members at once that it completes the chord', async (bench) => {
    const { chords } = chordedOf(bench)
    await chords.setSize(bench.id, MANY)
    const told = await Promise.all(Array.from({ length: MANY }, (_, at) => chords.addPart(partOf(bench.id, at))))
    equal(told.filter((completion) => completion !== null).length, 1)
    await chords.close(bench.id)
  })

  it('waits for the size of a chord whose header is still being sent', async (bench) => {
    const { chords } = chordedOf(bench)
    const parts = [partOf(bench.id, 0), partOf(bench.id, 1)] as const
    equal(await chords.addPart(parts[0]), null)
    await chords.setSize(bench.id, 2)
    ok(await chords.addPart(parts[1]))
    await chords.close(bench.id)
  })

  it('waits for a member that was added to a chord', async (bench) => {
    const { chords } = chordedOf(bench)
    await chords.setSize(bench.id, 1)
    await chords.grow(bench.id)
    equal(await chords.addPart(partOf(bench.id, 0)), null)
    ok(await chords.addPart(partOf(bench.id, 1)))
    await chords.close(bench.id)
  })

  it('waits for as many as were added, and no more for what was taken back', async (bench) => {
    const { chords } = chordedOf(bench)
    await chords.setSize(bench.id, 1)
    await chords.grow(bench.id, 3)
    await chords.grow(bench.id, -2)
    equal(await chords.addPart(partOf(bench.id, 0)), null)
    ok(await chords.addPart(partOf(bench.id, 1)))
    await chords.close(bench.id)
  })

  it('counts a member once whose message comes again, whatever its result is then', async (bench) => {
    const { chords } = chordedOf(bench)
    const part = partOf(bench.id, 0)
    await chords.setSize(bench.id, 2)
    equal(await chords.addPart(part), null)
    equal(await chords.addPart({ ...part, isRepeated: true, result: 'another' }), null)
    const last = partOf(bench.id, 1)
    ok(await chords.addPart(last))
    deepEqual(
      (await chords.members(bench.id)).map(({ result }) => result),
      [0, 1],
    )
    await chords.close(bench.id)
  })

  it('replaces a failure by what a repetition brings', async (bench) => {
    const { chords } = chordedOf(bench)
    const part = partOf(bench.id, 0)
    await chords.addPart({ ...part, state: 'FAILURE', result: encodeException(new Error('boom')) })
    await chords.setSize(bench.id, 1)
    ok(await chords.addPart({ ...part, isRepeated: true }))
    deepEqual(await chords.members(bench.id), [{ id: part.id, state: 'SUCCESS', result: 0 }])
    await chords.close(bench.id)
  })

  it('lets one member alone complete a chord, and the same one once more when it is repeated', async (bench) => {
    const { chords } = chordedOf(bench)
    const parts = [partOf(bench.id, 0), partOf(bench.id, 1)] as const
    await chords.setSize(bench.id, 2)
    await chords.addPart(parts[0])
    const completion = await chords.addPart(parts[1])
    match(completion ?? '', /^[\w-]{1,36}$/)
    equal(await chords.addPart({ ...parts[0], isRepeated: true }), null)
    equal(await chords.addPart({ ...parts[1], isRepeated: true }), completion)
    await chords.close(bench.id)
  })

  it('lets the first copy of a body run, and that one again, but no other', async (bench) => {
    const { chords, other } = chordedOf(bench)
    const far = await other()
    const one = { groupId: bench.id, id: randomUUID(), completion: randomUUID(), copy: randomUUID() }
    const two = { ...one, copy: randomUUID() }
    equal(await chords.takeBody(one), true)
    equal(await far.takeBody(two), false)
    equal(await far.takeBody(one), true)
    equal(await chords.takeBody({ ...two, id: randomUUID() }), true)
    equal(await chords.takeBody({ ...two, groupId: randomUUID() }), true)
    const anew = { ...two, completion: randomUUID() }
    equal(await far.takeBody(anew), true)
    equal(await chords.takeBody({ ...anew, copy: randomUUID() }), false)
  })

  it('never completes a chord that was closed', async (bench) => {
    const { chords } = chordedOf(bench)
    const part = partOf(bench.id, 0)
    await chords.setSize(bench.id, 1)
    ok(await chords.addPart(part))
    await chords.close(bench.id)
    deepEqual(await chords.members(bench.id), [])
    equal(await chords.addPart({ ...part, isRepeated: true }), null)
    await chords.close(bench.id)
  })

  it('keeps the ends of members that have failed, and puts those without a place last', async (bench) => {
    const { chords } = chordedOf(bench)
    const result = encodeException(new RangeError('boom'))
    const failed = partOf(bench.id, null, { state: 'FAILURE', result })
    await chords.setSize(bench.id, 2)
    await chords.addPart(failed)
    ok(await chords.addPart(partOf(bench.id, 0, { result: { bytes: Buffer.from([0, 255]) } })))
    const [first, second] = await chords.members(bench.id)
    const { bytes } = Object(first?.result)
    deepEqual([...bytes], [0, 255])
    deepEqual(second, { id: failed.id, state: 'FAILURE', result })
    await chords.close(bench.id)
  })

  it('takes a result that is no JSON for a fault of the member', async (bench) => {
    const { chords } = chordedOf(bench)
    const circle: Record<string, unknown> = {}
    circle.self = circle
    await rejects(chords.addPart(partOf(bench.id, 0, { result: circle })), EncodeError)
    deepEqual(await chords.members(bench.id), [])
    await chords.close(bench.id)
  })

  it('saves groups', async (bench) => {
    const { groups } = chordedOf(bench)
    const inner = [
      [randomUUID(), null],
      [taskTuple('a'), taskTuple('b', taskTuple('c'))],
    ] as const
    const group = [
      [bench.id, taskTuple('parent')],
      [inner, taskTuple('d')],
    ] as const
    equal(await groups.restore(bench.id), null)
    await groups.save(bench.id, group)
    deepEqual(await groups.restore(bench.id), group)
    await groups.delete(bench.id)
    equal(await groups.restore(bench.id), null)
  })

  if (outage) {
    it('says of a lost server that a member may be counted another time', async (bench) => {
      const { chords, groups } = chordedOf(bench)
      const { backend } = bench
      const part = partOf(bench.id, 0)
      await chords.setSize(bench.id, 1)
      await outage.begin()
      try {
        await waitFor(() => !backend.healthy(), 'the loss to be noticed')
        await rejects(chords.addPart(part), { retriable: true })
        await rejects(chords.setSize(bench.id, 1), { retriable: true })
        await rejects(chords.grow(bench.id), { retriable: true })
        await rejects(groups.restore(bench.id), { retriable: true })
      } finally {
        await outage.end()
      }
      await waitFor(() => backend.healthy(), 'the server to be back')
      ok(await chords.addPart({ ...part, isRepeated: true }))
      await chords.close(bench.id)
    })
  }
}
