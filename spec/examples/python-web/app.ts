import { Celery } from 'celeriac'

const app = new Celery('reports', { result_backend: 'redis://localhost:6379/0' })

app.task('reports.build', { params: ['customer', 'months?'], timeLimit: 60 }, async (customer: string, months = 12) => {
  return { customer, months, pages: months * 2 }
})

export default app
