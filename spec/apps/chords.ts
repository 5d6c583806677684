/* The tasks of chords.py, in TypeScript. CHORDS_ORDERED=0 for members in no order, as there. */
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Celery, type TaskContext } from 'celeriac'

const result_chord_ordered = process.env.CHORDS_ORDERED !== '0'
const app = new Celery('chords', { result_backend_transport_options: { result_chord_ordered } })

/** Long enough for some to be in hand at any moment. */
app.task('chords.member', { acksLate: true }, async (value: number, seconds = 0) => {
  await sleep(seconds * 1000)
  return value
})
/** Tells each of its runs apart: what is delivered again has another result. */
app.task('chords.stamped', { acksLate: true }, async (value: number, seconds = 0) => {
  await sleep(seconds * 1000)
  return value + Math.random() / 2
})
app.task('chords.fail', (_: number) => {
  throw Object.assign(new Error('boom'), { excType: 'ValueError', excModule: 'builtins' })
})
/** Notes its runs in a file: what a killed worker has said last is lost on its way. */
app.task('chords.body', { bind: true }, ({ request }: TaskContext, values: unknown[]) => {
  appendFileSync(process.env.CHORDS_RUNS || '/dev/null', `${request.id}\n`)
  return values.map((value) => (typeof value === 'number' ? Math.floor(value) : value))
})
app.task('chords.tell', (_id: string) => 'told')

export default app
