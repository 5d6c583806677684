import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Celery, Retry } from 'celeriac'
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
