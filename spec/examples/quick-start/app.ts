import { Celery } from 'celeriac'

// RabbitMQ and Redis on this machine, unless CELERY_BROKER_URL and CELERY_RESULT_BACKEND say where they are.
const app = new Celery('quick-start', { result_backend: 'redis://localhost:6379/0' })

app.task('tasks.add', (x: number, y: number) => x + y)

export default app
