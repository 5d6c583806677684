import { Celery } from 'celeriac'
import { z } from 'zod'

const Order = z.object({
  id: z.number().int(),
  items: z.array(z.object({ name: z.string().min(1), price: z.number().positive() })).min(1),
  currency: z.enum(['EUR', 'USD']).default('EUR'),
})

const app = new Celery('shop')

/** Python sends keyword arguments: `app.send_task('shop.invoice', kwargs={'id': 7, 'items': [...]})`. */
export const invoice = app.task('shop.invoice', { kwargs: true, schema: Order }, ({ currency, id, items }) => {
  const sum = items.reduce((total, { price }) => total + price, 0)
  return { id, total: `${sum.toFixed(2)} ${currency}` }
})

/** The types are those of the schema, on both sides of the queue. */
export async function orderPears(): Promise<string> {
  const result = await invoice.delay({ id: 7, items: [{ name: 'pear', price: 1.5 }] })
  const { total } = await result.get({ timeout: 60 })
  return total
}

/** What TypeScript refuses here, the worker refuses too when it comes from elsewhere. */
export async function orderNothing(): Promise<void> {
  // @ts-expect-error: an order has items
  const result = await invoice.delay({ id: 8 })
  await result.get({ timeout: 60 })
}

export default app
