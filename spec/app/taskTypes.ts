import { z } from 'zod'
import {
  type AsyncResult,
  Celery,
  type Hook,
  type HookArguments,
  type Task,
  type TaskContext,
  Worker,
} from '../../lib/index.js'

/*
 * What the types promise to those who define and send tasks. Nothing here runs: `npm run typecheck` compiles it, and an expectation that
 * isn't met, or an error that isn't there, fails it.
 */

type Equal<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false
/** Compiles only for a result of exactly this type. */
function gives<Wanted>() {
  return <Found>(_: Promise<AsyncResult<Found>>, ..._same: Equal<Found, Wanted> extends true ? [] : [never]): void =>
    undefined
}

const app = new Celery('types')

export function plain(): void {
  const add = app.task('add', (x: number, y: number) => x + y)
  gives<number>()(add.delay(1, 2))
  gives<number>()(add.applyAsync([1, 2]))
  gives<number>()(add.applyAsync([1, 2], {}, { countdown: 5 }))
  gives<number>()(add.applyAsync([1], { y: 2 }))
  gives<number>()(add.applyAsync([], { x: 1, y: 2 }, { queue: 'other' }))
  // @ts-expect-error: no text for a number
  void add.delay('1', 2)
  // @ts-expect-error: one is missing
  void add.delay(1)
  // @ts-expect-error: one too many
  void add.delay(1, 2, 3)
  // @ts-expect-error: none, neither by place nor by name
  void add.applyAsync([])
  // @ts-expect-error: none, and options
  void add.applyAsync([], {}, { countdown: 5 })
  // @ts-expect-error: a wrong one by place
  void add.applyAsync(['1'], { y: 2 })
  // @ts-expect-error: a wrong option
  void add.applyAsync([1, 2], {}, { countDown: 5 })
  // @ts-expect-error: the result is no text
  gives<string>()(add.delay(1, 2))
}

export function optional(): void {
  const fetch = app.task('fetch', (url: string, depth = 1) => ({ url, depth }))
  gives<{ url: string; depth: number }>()(fetch.delay('http://a'))
  gives<{ url: string; depth: number }>()(fetch.delay('http://a', 2))
  // @ts-expect-error: a default has a type
  void fetch.delay('http://a', 'deep')
  const all = app.task('all', (...ids: string[]) => ids.length)
  gives<number>()(all.delay())
  gives<number>()(all.delay('a', 'b'))
  // @ts-expect-error: they are texts
  void all.delay(1)
}

export function results(): void {
  gives<null>()(app.task('nothing', () => undefined).delay())
  gives<null>()(app.task('later', async () => undefined).delay())
  gives<string>()(app.task('text', async () => 'a').delay())
  gives<string | null>()(app.task('maybe', (n: number) => (n > 0 ? String(n) : undefined)).delay(1))
}

export function bound(): void {
  const step = app.task('step', { bind: true, maxRetries: 5 }, (self, n: number) => `${self.request.id}${n}`)
  gives<string>()(step.delay(1))
  // @ts-expect-error: the context isn't the caller's to give
  void step.delay({}, 1)
  const alone = app.task('alone', { bind: true }, (self: TaskContext) => self.request.retries)
  gives<number>()(alone.delay())
  // @ts-expect-error: it takes nothing
  void alone.delay(1)
  // @ts-expect-error: a context has no such field
  app.task('wrong', { bind: true }, (self) => self.requests)
}

export function named(): void {
  const schema = z.object({ url: z.string(), depth: z.number().default(1), at: z.coerce.date().optional() })
  const crawl = app.task('crawl', { params: ['url', 'depth?', 'at?'], schema }, (url, depth, at) => {
    return [url.length, depth?.toFixed(), at?.getTime()] as const
  })
  void crawl.delay('http://a')
  void crawl.delay('http://a', 3)
  // @ts-expect-error: the schema wants a text
  void crawl.delay(1)
  // @ts-expect-error: the schema wants a number
  void crawl.delay('http://a', '3')
  // @ts-expect-error: the handler gets a text from the schema
  app.task('wrong', { params: ['url'], schema }, (url) => url.toFixed())
}

export function gathered(): void {
  const both = app.task(
    'both',
    { params: ['a', 'b?', '**options', '...ids'] },
    (a: number, b: string | undefined, options: { readonly deep?: boolean }, ...ids: Date[]) => [
      a,
      b,
      options.deep,
      ids.length,
    ],
  )
  void both.applyAsync([1], { deep: true })
  void both.delay(1, 'b', new Date(), new Date())
  // @ts-expect-error: what is gathered by name isn't given by position
  void both.delay(1, 'b', { deep: true })
  // @ts-expect-error: the rest has a type
  void both.delay(1, 'b', 2)
  // @ts-expect-error: the first one is missing
  void both.delay()
  const bound = app.task('bound', { bind: true, params: ['**options'] }, (self, options: object) => [self.log, options])
  void bound.delay()
  // @ts-expect-error: it takes none by position
  void bound.delay({})
  const rest = app.task('rest', { params: ['a', '...ids'] }, (a: number, ...ids: string[]) => [a, ids])
  void rest.delay(1, 'a', 'b')
  // @ts-expect-error: they are texts
  void rest.delay(1, 2)
  const schema = z.object({ a: z.string(), o: z.record(z.string(), z.number()), ids: z.array(z.coerce.date()) })
  const checked = app.task('checked', { params: ['a', '**o', '...ids'], schema }, (a, o, ...ids) => {
    return [a.length, o.any?.toFixed(), ids.map((id) => id.getTime())] as const
  })
  void checked.delay('a')
  void checked.delay('a', new Date())
  // @ts-expect-error: the schema wants a text
  void checked.delay(1)
}

export function declared(): void {
  const add = app.declare<(x: number, y: number) => number>('tasks.add')
  gives<number>()(add.delay(1, 2))
  // @ts-expect-error: as for our own
  void add.delay('1', 2)
  // @ts-expect-error: a task needs a name
  app.declare<() => number>()
}

export function options(): void {
  // @ts-expect-error: Python's spelling
  app.task('wrong', { acks_late: true }, () => 1)
  // @ts-expect-error: a wrong type
  app.task('wrong', { maxRetries: 'many' }, () => 1)
  // @ts-expect-error: the handler comes last
  app.task('wrong', () => 1, { maxRetries: 1 })
  const any: Task = app.task('add', (x: number) => x)
  void any.delay(1)
}

export async function states(): Promise<void> {
  const add = app.task('add', (x: number, y: number) => x + y)
  for await (const { ready, result, state } of (await add.delay(1, 2)).states({ timeout: 5 })) {
    if (ready && typeof result === 'number') result.toFixed()
    state.toUpperCase()
    // @ts-expect-error: it is no text
    if (ready && typeof result === 'string') result.toUpperCase()
  }
  // @ts-expect-error: a failure is a state
  ;(await add.delay(1, 2)).states({ propagate: true })
}

export function keywords(): void {
  const schema = z.object({ event: z.object({ id: z.number() }), dryRun: z.boolean().default(false) })
  const checked = app.task('checked', { kwargs: true, schema }, ({ dryRun, event }) => (dryRun ? null : event.id))
  gives<number | null>()(checked.delay({ event: { id: 1 } }))
  gives<number | null>()(checked.delay({ event: { id: 1 }, dryRun: true }))
  gives<number | null>()(checked.applyAsync([], { event: { id: 1 } }, { countdown: 5 }))
  // @ts-expect-error: the schema wants a number
  void checked.delay({ event: { id: '1' } })
  // @ts-expect-error: the event is missing
  void checked.delay({ dryRun: true })
  // @ts-expect-error: nothing at all
  void checked.delay()
  // @ts-expect-error: not by position
  void checked.delay({ id: 1 }, true)
  // @ts-expect-error: nothing but an empty list by position
  void checked.applyAsync([{ id: 1 }], {})
  // @ts-expect-error: no such name
  void checked.delay({ event: { id: 1 }, dry_run: true })
  // @ts-expect-error: the schema gives no such field
  app.task('wrong', { kwargs: true, schema }, ({ events }) => events)
  const free = app.task('free', { kwargs: true }, ({ url, depth = 1 }: { url: string; depth?: number }) => url + depth)
  gives<string>()(free.delay({ url: 'http://a' }))
  gives<string>()(free.applyAsync([], { url: 'http://a', depth: 2 }))
  // @ts-expect-error: a wrong type
  void free.delay({ url: 1 })
  const all = app.task(
    'all',
    { kwargs: true, bind: true },
    (self, { n = 1 }: { n?: number }) => self.request.retries + n,
  )
  gives<number>()(all.delay())
  gives<number>()(all.delay({ n: 2 }))
}

export function hooks(): void {
  const end: () => void = app.on('taskPrerun', async ({ args, id, kwargs, request, task }) => {
    void [args.length, id.length, kwargs.any, request.retries, task.name]
  })
  end()
  app.on('taskSuccess', ({ result }) => void result)
  app.on('taskFailure', ({ exception }) => void exception.message)
  app.on('taskPostrun', ({ state }) => state === 'SUCCESS')
  app.on('taskRetry', ({ reason }) => void reason.options.countdown)
  app.on('beforeTaskPublish', ({ body, headers, properties }) => {
    headers.tenant = 'a'
    properties.priority = 5
    body[1].added = true
  })
  app.on('workerShuttingDown', ({ how, sig }) => (how === 'Warm' ? sig : null))
  const received: Hook<'taskReceived'> = ({ task }) => task.name
  app.on('taskReceived', received)
  // @ts-expect-error: Python's spelling
  app.on('task_prerun', () => undefined)
  // @ts-expect-error: no function
  app.on('taskPrerun', 5)
  // @ts-expect-error: a success has no exception
  app.on('taskSuccess', ({ exception }) => exception)
  // @ts-expect-error: a hook of another name
  app.on('taskFailure', ({ result }: HookArguments['taskSuccess']) => result)
  // @ts-expect-error: not to be changed
  app.on('afterTaskPublish', ({ headers }) => (headers.tenant = 'a'))
  // @ts-expect-error: no such state
  app.on('taskPostrun', ({ state }) => state === 'DONE')
}

export function middleware(): void {
  app.use(async (request, next) => {
    const result: unknown = await next()
    return [request.task, result]
  })
  // @ts-expect-error: a request has no such field
  app.use((request, next) => (request.name ? next() : null))
  // @ts-expect-error: next takes nothing
  app.use((_, next) => next(1))
  // @ts-expect-error: no function
  app.use({})
}

export function resources(): void {
  const shop = new Celery('shop')
    .resource('db', { start: async () => ({ count: (table: string) => table.length }), stop: (db) => db.count('all') })
    .resource('cache', { start: () => new Map<string, number>() })
  gives<number>()(
    shop.task('count', { bind: true }, (self, table: string) => self.resources.db.count(table)).delay('a'),
  )
  gives<number | null>()(shop.task('cached', { bind: true }, (self) => self.resources.cache.get('a')).delay())
  const byName = shop.task(
    'named',
    { bind: true, kwargs: true },
    (self, { n }: { n: number }) => self.resources.db.count('a') + n,
  )
  gives<number>()(byName.delay({ n: 1 }))
  // A context of the author's own naming goes with it.
  gives<string>()(shop.task('plain', { bind: true }, (self: TaskContext) => self.request.id).delay())
  const worker: Worker = new Worker(shop)
  void worker
  // @ts-expect-error: no such resource
  shop.task('wrong', { bind: true }, (self) => self.resources.dbs)
  // @ts-expect-error: this app has none
  app.task('wrong', { bind: true }, (self) => self.resources.db)
  // @ts-expect-error: what start gives has no such method
  app.resource('other', { start: () => new Map(), stop: (map) => map.end() })
  // @ts-expect-error: it must be opened
  app.resource('other', { stop: () => undefined })
}
