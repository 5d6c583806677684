import { expect, it } from '@jest/globals'
import { Celery, chain } from '../../lib/index.js'
import { testWorker } from '../../lib/testing/testWorker.js'
import { waitFor } from '../support/waitFor.js'

it('a keyed step of a chain takes its place when it is sent, behind what was sent before that', async () => {
  const app = new Celery('keyed', {})
  const order: string[] = []
  let go = (): void => undefined
  const held = new Promise<void>((resolve) => {
    go = resolve
  })
  app.task('note', { orderBy: 'kwargs.key', params: ['name', 'key'] }, async (name: string, _key: string) => {
    order.push(name)
    if (name === 'first') await held
  })
  const here = await testWorker(app, { concurrency: 4 })
  const step = (name: string) =>
    app.signature({ ...app.signature('note', [name]).toJSON(), kwargs: { key: 'k' }, immutable: true })
  const result = await chain([step('first'), step('second'), step('third')]).delay()
  await waitFor(() => order.length > 0, { what: 'the first step' })
  await app.sendTask('note', ['between'], { key: 'k' })
  await app.sendTask('note', ['other'], { key: 'another' })
  await waitFor(() => order.includes('other'), { what: 'the task with another key' })
  go()
  await result.get({ timeout: 20 })
  expect(order).toEqual(['first', 'other', 'between', 'second', 'third'])
  await here.stop()
})
