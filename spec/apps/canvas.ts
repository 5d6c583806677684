/* The tasks of canvas.py, in TypeScript: canvases of the peer specs are spread over both. */
import { Celery } from 'celeriac'

const app = new Celery('canvas', {})

app.task('canvas.join', (...args: unknown[]) => args)
app.task('canvas.fail', (..._: unknown[]) => {
  throw Object.assign(new Error('boom'), { excType: 'ValueError', excModule: 'builtins' })
})

export default app
