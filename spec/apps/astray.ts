/* Hooks that go astray, as the first argument of the task says: each of them throws, hangs or is slow. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Celery } from 'celeriac'

const app = new Celery('astray')

app.task('astray.echo', { params: ['how'], timeLimit: 1 }, (how: string) => how)

async function goAstray(how: unknown): Promise<void> {
  if (how === 'throws') throw new Error('a hook of mine')
  // Longer than the task's time limit, and within the hook's bound.
  if (how === 'is slow') await sleep(1200)
  if (how === 'hangs') await new Promise(() => undefined)
}

app.on('taskPrerun', ({ args: [how] }) => goAstray(how))
app.on('taskSuccess', ({ result }) => goAstray(result))
app.on('taskPostrun', ({ args: [how] }) => goAstray(how))
app.on('workerProcessInit', () => goAstray('throws'))
app.on('workerProcessInit', () => goAstray('hangs'))

export default app
