import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Retry } from 'celeriac'
import { runTask, testWorker } from 'celeriac/testing'
import app, { add, status } from './app.js'

test('a task, run without a broker', async () => {
  assert.equal(await runTask(add, [1, 2]), 3)
  assert.equal(await runTask(status, ['data:text/plain,hello']), 200)
  await assert.rejects(runTask(status, ['http://127.0.0.1:1/']), Retry)
})

test('a worker on a broker in memory', async (t) => {
  const worker = await testWorker(app)
  t.after(() => worker.stop())
  const result = await add.delay(1, 2)
  assert.equal(await result.get({ timeout: 60 }), 3)
})
