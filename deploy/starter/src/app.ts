import { Celery } from 'celeriac'

/** In production, CELERY_BROKER_URL and CELERY_RESULT_BACKEND in the environment take the place of these URLs. */
const app = new Celery('starter', {
  broker_url: 'amqp://guest:guest@localhost:5672//',
  result_backend: 'redis://localhost:6379/0',
})

export const add = app.task('tasks.add', (x: number, y: number) => x + y)

/** Retried up to 3 times, after 1, 2 and 4 seconds at most, when the site can't be reached. */
export const status = app.task(
  'tasks.status',
  { params: ['url'], autoretryFor: [TypeError], retryBackoff: true, timeLimit: 30 },
  async (url: string) => (await fetch(url)).status,
)

export default app
