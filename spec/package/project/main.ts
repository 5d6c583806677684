import { Celery, type RetryOptions, type Task, type TaskContext } from 'celeriac'

const app = new Celery('project', { broker_url: 'memory://', result_backend: 'cache+memory://' })
const add: Task<[x: number, y: number], number> = app.task('tasks.add', (x: number, y: number) => x + y)
const later: RetryOptions = { countdown: 10 }
export const fetch: Task<[url: string], string> = app.task(
  'tasks.fetch',
  { bind: true, maxRetries: 5, params: ['url'] },
  (self: TaskContext, url: string): string => {
    if (self.request.retries < 2) throw self.retry(later)
    return url
  },
)
// @ts-expect-error: the arguments are numbers
export const wrong = (): Promise<unknown> => add.delay('one', 2)

console.log(add.name)
