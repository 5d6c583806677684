import { expect, test } from '@jest/globals'
import { Retry } from 'celeriac'
import { captureSent, runTask, testWorker, tryTask } from 'celeriac/testing'
import { add, app, fetch, mail, order } from './app.js'

test('one task', async () => {
  const sum: number = await runTask(add, [1, 2])
  expect(sum).toBe(3)
  await expect(runTask(fetch, ['http://shop/'])).rejects.toBeInstanceOf(Retry)
  expect(await tryTask(fetch, ['http://shop/'], { retries: 1 })).toMatchObject({ state: 'RETRY', countdown: 10 })
  expect(await runTask(fetch, ['http://shop/'], { retries: 2 })).toBe('http://shop/')
  // @ts-expect-error: the arguments are numbers
  expect(await runTask(add, ['1', '2'])).toBe('12')
})

test('what is sent', async () => {
  using sent = captureSent(app)
  await order.delay({ to: 'me' })
  expect(sent.of(order)).toMatchObject([{ kwargs: { to: 'me' } }])
  await runTask(order, { to: 'me' })
  expect(sent.of(mail)).toMatchObject([{ args: ['me'], queue: 'celery' }])
})

test('a worker', async () => {
  await using worker = await testWorker(app)
  const id = await (await order.delay({ to: 'me' })).get({ timeout: 60 })
  expect(await app.asyncResult(id).get({ timeout: 60 })).toBe('sent to me')
  expect(worker.sent.of(mail)).toHaveLength(1)
})
