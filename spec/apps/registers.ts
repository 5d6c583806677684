/* An app that brings a result backend and a serializer of its own. */
import { Celery, registerBackend, registerSerializer, type TaskContext } from 'celeriac'
import { FolderBackend } from './folderBackend.js'
import { tagged } from './tagged.js'

registerBackend('folder', (options) => new FolderBackend(options))
registerSerializer(tagged)

const app = new Celery('registers', {
  result_backend: process.env.SPEC_RESULTS ?? 'folder:///tmp',
  accept_content: ['json', 'tagged'],
})

app.task('registers.add', { bind: true, maxRetries: 1 }, (self: TaskContext, x: number, y: number) => {
  if (self.request.retries === 0) throw self.retry({ countdown: 0, args: [x + 1, y] })
  return [self.request.properties.contentType, x + y]
})
// Asks as the child that runs it: its own app has to know the backend.
app.task('registers.state', (id: string) => app.asyncResult(id).state())

export default app
