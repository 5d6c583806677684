import { Celery, chain, chord } from 'celeriac'

const app = new Celery('texts', { result_backend: 'redis://localhost:6379/0' })

// The tasks live in Python: their names and types are all that is known here.
const count = app.declare<(text: string) => number>('texts.count')
const sum = app.declare<(counts: readonly number[]) => number>('texts.sum')
const report = app.declare<(words: number, title: string) => string>('texts.report')

const texts = ['one two three', 'four five', 'six']
const workflow = chain(
  chord(
    texts.map((text) => count.s(text)),
    sum.s(),
  ),
  report.s('All texts'),
)

const result = await workflow.delay()
console.log(await result.get({ timeout: 60 }))
await app.close()
