import { deepEqual, equal, rejects } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type AddCase, matches, waitFor } from '../suite.js'
import { type BackendBench, type BackendCase, NOBODY } from './bench.js'

/** Number of tasks that are stored at once. */
const MANY = 200
const BRIEF_SECONDS = 1

/** Tests with many tasks at once, over time, and through an outage. */
export function life(it: AddCase<BackendBench>, { createExpiring, outage, shares = true }: BackendCase): void {
  it('stores the states of many tasks at once, and mixes none up', async ({ backend, meta }) => {
    const ids = Array.from({ length: MANY }, () => randomUUID())
    await Promise.all(ids.map((taskId, at) => backend.store(meta('SUCCESS', at, { taskId }), NOBODY)))
    const found = await Promise.all(ids.map((id) => backend.get(id)))
    deepEqual(
      found.map((state) => state?.result),
      ids.map((_, at) => at),
    )
    await Promise.all(ids.map((id) => backend.forget(id)))
  })

  if (shares) {
    it('lets others see what one has stored, and hear of it', async ({ backend, id, meta, of, started }) => {
      const other = await started(await of.create())
      const heard: unknown[] = []
      const leave = await other.subscribe(id, ({ result }) => heard.push(result))
      await backend.store(meta('SUCCESS', 'seen'), NOBODY)
      matches(await other.get(id), { status: 'SUCCESS', result: 'seen' })
      await waitFor(() => heard.length > 0, 'the state')
      equal(heard[0], 'seen')
      await leave()
    })
  }

  if (createExpiring) {
    it('keeps a result no longer than it was told to', async ({ id, meta, started }) => {
      const brief = await started(await createExpiring(BRIEF_SECONDS))
      await brief.store(meta('SUCCESS', 1), NOBODY)
      await waitFor(async () => (await brief.get(id)) === null, 'the result to expire')
    })
  }

  if (outage) {
    it('says of a lost server that it may go better another time, and goes on when it is back', async (bench) => {
      const { backend, id, meta } = bench
      await backend.store(meta('STARTED', null), NOBODY)
      const heard: string[] = []
      const leave = await backend.subscribe(id, ({ status }) => heard.push(status))
      await outage.begin()
      try {
        await waitFor(() => !backend.healthy(), 'the loss to be noticed')
        await rejects(backend.store(meta('SUCCESS', 1), NOBODY), { retriable: true })
        await rejects(backend.get(id), { retriable: true })
      } finally {
        await outage.end()
      }
      await waitFor(() => backend.healthy(), 'the server to be back')
      await backend.store(meta('SUCCESS', 'after all'), NOBODY)
      matches(await backend.get(id), { status: 'SUCCESS', result: 'after all' })
      await waitFor(() => heard.includes('SUCCESS'), 'the subscription to be taken up again')
      await leave()
    })
  }
}
