import { Celery } from 'celeriac'

const app = new Celery('texts', { result_backend: 'redis://localhost:6379/0' })

// The tasks of tasks.py, in TypeScript: a worker of either kind runs any step.
app.task('texts.count', { params: ['text'] }, (text: string) => text.split(/\s+/).length)

app.task('texts.sum', { params: ['counts'] }, (counts: readonly number[]) =>
  counts.reduce((sum, count) => sum + count, 0),
)

app.task('texts.report', { params: ['words', 'title'] }, (words: number, title: string) => `${title}: ${words} words`)

export default app
