import { setTimeout as sleep } from 'node:timers/promises'
import { Celery } from 'celeriac'

const app = new Celery('demo')

// The end of a build never runs before its start has ended, however many slots there are.
const inOrder = { params: ['build'], orderBy: 'kwargs.build' }

app.task('builds.start', inOrder, async (build) => {
  await sleep(100 + Math.random() * 400)
  return `build ${build} has started`
})

app.task('builds.end', inOrder, async (build) => {
  await sleep(50 + Math.random() * 100)
  return `build ${build} has ended`
})

export default app
