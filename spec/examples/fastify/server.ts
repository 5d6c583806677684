import { Celery, Worker } from 'celeriac'
import Fastify, { type FastifyInstance } from 'fastify'

const app = new Celery('sums', { result_backend: 'redis://localhost:6379/0' })
const add = app.task('sums.add', (x: number, y: number) => x + y)
const numbers = { type: 'object', required: ['x', 'y'], properties: { x: { type: 'number' }, y: { type: 'number' } } }

/** The service. `listen` starts its worker; `close` waits for the tasks that run, and closes all connections. */
export function createServer(): FastifyInstance {
  const server = Fastify({ logger: { level: 'warn' } })
  const worker = new Worker(app, { concurrency: 8, logger: server.log, logLevel: 'WARNING' })

  server.addHook('onReady', async () => {
    await worker.start()
    await worker.ready
  })
  server.addHook('onClose', async () => {
    await worker.stop()
    await app.close()
  })

  server.get('/readyz', async (_request, reply) => {
    const reasons = worker.readiness
    return reply.code(reasons.length === 0 ? 200 : 503).send({ reasons })
  })
  server.post<{ Body: { x: number; y: number } }>('/sums', { schema: { body: numbers } }, async (request, reply) => {
    const { id } = await add.delay(request.body.x, request.body.y)
    return reply.code(202).send({ id })
  })
  server.get<{ Params: { id: string } }>('/sums/:id', async ({ params }) => {
    const result = app.asyncResult(params.id)
    return { state: await result.state(), sum: await result.result() }
  })
  return server
}

// Whoever runs this file starts it; Ctrl+C closes it.
if (process.argv[1] === import.meta.filename) {
  const server = createServer()
  process.once('SIGINT', () => void server.close())
  process.once('SIGTERM', () => void server.close())
  await server.listen({ port: 3000 })
}
