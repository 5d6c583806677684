import { Celery, type KwargsTask, type Task, type TaskContext } from 'celeriac'

/** The servers are nobody's: whoever connects to them fails. */
export const app: Celery = new Celery('shop', {
  broker_url: 'amqp://127.0.0.1:1//',
  result_backend: 'redis://127.0.0.1:1/0',
})
export const add: Task<[x: number, y: number], number> = app.task('shop.add', (x: number, y: number) => x + y)
export const mail: Task<[to: string], string> = app.task('shop.mail', (to: string) => `sent to ${to}`)
export const order: KwargsTask<{ to: string }, string> = app.task(
  'shop.order',
  { kwargs: true },
  async ({ to }: { to: string }) => (await mail.delay(to)).id,
)
export const fetch: Task<[url: string], string> = app.task(
  'shop.fetch',
  { bind: true, maxRetries: 5 },
  (self: TaskContext, url: string): string => {
    if (self.request.retries < 2) throw self.retry({ countdown: 10 })
    return url
  },
)
