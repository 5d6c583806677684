import { deepEqual, doesNotMatch, equal, rejects } from 'node:assert/strict'
import { BackendBench, type BackendCase, NOBODY } from './backend/bench.js'
import { chords } from './backend/chords.js'
import { life } from './backend/life.js'
import { states } from './backend/states.js'
import { values } from './backend/values.js'
import { type AddTest, cases } from './suite.js'

/**
 * Runs the tests that a result backend has to pass, against a real server. A backend that passes is ready.
 * @param test the `test` of Jest, Vitest or `node:test`
 */
export function testBackend(test: AddTest, backend: BackendCase): void {
  const it = cases(
    test,
    `the backend ${backend.name}`,
    () => BackendBench.open(backend),
    (bench) => bench.clear(),
  )
  it('is healthy once it has started', async ({ backend }) => equal(backend.healthy(), true))
  it('shows no password in its name', async ({ backend }) => doesNotMatch(backend.name, /:[^/*@:]+@/))
  it('starts and stops twice without complaint', async ({ backend }) => {
    await backend.start()
    await backend.stop()
    await backend.stop()
  })
  it('stops without having started', async ({ of }) => {
    const other = await of.create()
    equal(await other.stop(), undefined)
  })
  it('stores a state', async ({ backend, meta }) => equal(await backend.store(meta('SUCCESS', 5), NOBODY), undefined))
  if (!backend.reads) {
    it('says that there are no results, for good', async ({ backend, id }) => {
      const refused = { retriable: false }
      await rejects(backend.get(id), refused)
      await rejects(
        backend.subscribe(id, () => undefined),
        refused,
      )
    })
    return
  }
  values(it)
  states(it)
  life(it, backend)
  if (backend.chords) chords(it, backend)
  it('forgets', async ({ backend, id, meta }) => {
    await backend.store(meta('SUCCESS', 1), NOBODY)
    await backend.forget(id)
    deepEqual(await backend.get(id), null)
    equal(await backend.forget(id), undefined)
  })
}
