import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Celery, decodeResult, encodeResult, Retry } from 'celeriac'
import { testBackend } from 'celeriac/conformance'
import { captureSent, runTask, testWorker } from 'celeriac/testing'

const app = new Celery('shop', { broker_url: 'amqp://127.0.0.1:1//', result_backend: 'redis://127.0.0.1:1/0' })
const add = app.task('shop.add', (x, y) => x + y)
const again = app.task('shop.again', { bind: true }, (self) => {
  throw self.retry({ countdown: 10 })
})

test('one task', async () => {
  assert.equal(await runTask(add, [1, 2]), 3)
  await assert.rejects(runTask(again, []), Retry)
})

test('what is sent', async () => {
  const sent = captureSent(app)
  await add.delay(1, 2)
  assert.deepEqual(sent.of(add)[0]?.args, [1, 2])
  sent.stop()
})

test('a worker', async (t) => {
  const worker = await testWorker(app)
  t.after(() => worker.stop())
  const result = await add.delay(1, 2)
  assert.equal(await result.get({ timeout: 60 }), 3)
})

/** A backend as the recipe has it, in a Map. */
const results = new Map()
const heard = new Map()
class MapBackend {
  name = 'map://'
  storesNothing = false
  async start() {
    // There is nothing to connect to.
  }
  async stop() {
    // Nothing is under way.
  }
  healthy() {
    return true
  }
  async store(meta) {
    const text = encodeResult(meta)
    if (results.has(meta.taskId) && decodeResult(results.get(meta.taskId)).status === 'SUCCESS') return
    results.set(meta.taskId, text)
    for (const listener of heard.get(meta.taskId) ?? []) listener(decodeResult(text))
  }
  async get(id) {
    return results.has(id) ? decodeResult(results.get(id)) : null
  }
  async subscribe(id, onMeta) {
    const listener = (meta) => onMeta(meta)
    heard.set(id, (heard.get(id) ?? new Set()).add(listener))
    return async () => void heard.get(id)?.delete(listener)
  }
  async forget(id) {
    results.delete(id)
  }
}
testBackend(test, { name: 'map://', create: () => new MapBackend(), reads: true })
