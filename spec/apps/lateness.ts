/* Tasks that run until their worker is stopped, and know how late they are. */
import { Celery } from 'celeriac'
import { burn, watch } from './lateLoops.js'

const app = new Celery('lateness')

app.task('lateness.watch', { bind: true, params: ['n'] }, (self, n: number) => watch(n, self.signal))

app.task('lateness.burn', { bind: true }, (self) => burn(self.signal))

export default app
