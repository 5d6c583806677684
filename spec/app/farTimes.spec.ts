import { describe, expect, it } from '@jest/globals'
import { Celery } from '../../lib/celery.js'
import { testWorker } from '../../lib/testing/index.js'

/** Seconds that end after the year 9999, as a sender makes them that gives milliseconds. */
const FAR = 1.8e12
const WHY = /^the time is .*: expected one between the years 1 and 9999/

describe('a time that no worker could read', () => {
  it.each([
    { countdown: FAR },
    { countdown: -FAR },
    { countdown: 1e300 },
    { eta: new Date(8.64e15) },
    { expires: FAR },
  ])('is refused where a task is called with %o', async (options) => {
    const app = new Celery('far')
    const task = app.task('far.plain', () => 1)
    await using worker = await testWorker(app)
    await expect(task.applyAsync([], {}, options)).rejects.toThrow(WHY)
    expect(worker.sent.tasks).toEqual([])
  })

  it.each([FAR, 1e300])('makes a task fail that is to be tried again after %p seconds', async (countdown) => {
    const app = new Celery('far')
    const task = app.task('far.again', { bind: true }, (self) => {
      throw self.retry({ countdown })
    })
    await using _ = await testWorker(app)
    const result = await task.delay()
    await expect(result.get({ timeout: 20 })).rejects.toThrow(WHY)
  })
})
