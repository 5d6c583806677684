/*
 * A small application, as its author would write it: strict TypeScript, and not one cast. `npm run typecheck` compiles it; shop.spec.ts runs it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { Celery } from 'celeriac'
import { z } from 'zod'

/** What a pool of connections looks like from here. */
export class Stock {
  readonly journal: string[] = []
  private readonly items = new Map<string, number>([
    ['pear', 3],
    ['plum', 0],
  ])

  take(item: string): number {
    const left = (this.items.get(item) ?? 0) - 1
    if (left < 0) throw new SoldOut(item)
    this.items.set(item, left)
    this.journal.push(`took ${item}`)
    return left
  }

  close(): void {
    this.journal.push('closed')
  }
}

export class SoldOut extends Error {}

const Order = z.object({
  order: z.object({ id: z.number(), items: z.array(z.string()).min(1) }),
  dryRun: z.boolean().default(false),
})

/** The application, and what it has left behind to be looked at. */
export function createShop(broker: string) {
  const journal: string[] = []
  const requestId = new AsyncLocalStorage<string>()
  const stock = new Stock()

  const app = new Celery('shop', { broker_url: broker, result_backend: 'cache+memory://' })
    .resource('stock', { start: async () => stock, stop: (open) => open.close() })
    .resource('clock', { start: () => ({ now: () => 42 }) })

  app.use((request, next) => requestId.run(request.id, next))
  app.use(async (request, next) => {
    try {
      return await next()
    } catch (thrown) {
      if (thrown instanceof SoldOut) journal.push(`${request.task}: ${thrown.message} is sold out`)
      throw thrown
    }
  })

  app.on('workerInit', ({ hostname }) => void journal.push(`hello ${hostname.length > 0}`))
  app.on('beforeTaskPublish', ({ headers, properties }) => {
    headers.tenant = 'orchard'
    properties.appId = 'shop'
  })
  app.on('taskPrerun', async ({ request, task }) => void journal.push(`${task.name} for ${request.headers.tenant}`))
  app.on('taskFailure', ({ exception, task }) => void journal.push(`${task.name} failed: ${exception.message}`))
  app.on('workerShutdown', () => void journal.push('bye'))

  const carrier = app.breaker('carrier', async (parcel: string) => `shipped ${parcel}`)

  const add = app.task('shop.add', (x: number, y: number) => x + y)
  const whoami = app.task('shop.whoami', async () => requestId.getStore() ?? null)
  const take = app.task('shop.take', { bind: true, params: ['item'], throws: [SoldOut] }, (self, item: string) =>
    self.resources.stock.take(item),
  )
  const fulfil = app.task(
    'shop.fulfil',
    { kwargs: true, schema: Order, bind: true },
    async (self, { dryRun, order }) => {
      const left = dryRun ? [] : order.items.map((item) => self.resources.stock.take(item))
      return { id: order.id, left, at: self.resources.clock.now() }
    },
  )
  const ship = app.task('shop.ship', { pauseWhileOpen: 'carrier', maxRetries: 2 }, (parcel: string) => carrier(parcel))
  const track = app.task(
    'shop.track',
    { kwargs: true, orderBy: 'kwargs.parcel' },
    async ({ parcel, status = 'unknown' }: { parcel: string; status?: string }) => `${parcel} is ${status}`,
  )

  return { app, journal, stock, tasks: { add, whoami, take, fulfil, ship, track } }
}
