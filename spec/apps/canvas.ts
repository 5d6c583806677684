/* The tasks of canvas.py, in TypeScript: canvases of the peer specs are spread over both. CANVAS_QUEUE: where Celery's own tasks go. */
import { setTimeout } from 'node:timers/promises'
import { Celery, chain, chord, group, registerSerializer, type TaskContext } from 'celeriac'
import { tagged } from './tagged.js'

/** A signature as it travels, maybe with error callbacks. */
interface Node {
  readonly task: string
  readonly kwargs: { readonly tasks?: Node[]; readonly header?: Node[]; readonly body?: Node }
  readonly errbacks?: Node[]
}

// Sent on where a signature says so, and taken from nobody.
registerSerializer(tagged)

const { CANVAS_QUEUE: queue } = process.env
const app = new Celery('canvas', queue === undefined ? {} : { task_routes: { 'celery.*': { queue } } })

const join = app.task('canvas.join', (...args: unknown[]) => args)
app.task('canvas.fail', (..._: unknown[]) => {
  throw Object.assign(new Error('boom'), { excType: 'ValueError', excModule: 'builtins' })
})
app.task('canvas.caught', (_id?: string) => 'caught')
app.task('canvas.told', (request: unknown, error: unknown, _traceback: unknown) => {
  const { excType, message, name } = error as Error & { excType?: string }
  console.log(`TOLD ${(request as { id: string }).id} ${excType ?? name} ${message}`)
})
app.task('canvas.sleep', { bind: true }, (self, ..._: unknown[]) => setTimeout(600_000, null, { signal: self.signal }))
app.task('canvas.die', (..._: unknown[]) => process.kill(process.pid, 'SIGKILL'))
app.task('canvas.replace', { bind: true }, (self, node: Node) => {
  throw self.replace(built(node))
})

/** The canvas as an application would write it. */
function built(node: Node) {
  const made = madeOf(node)
  for (const errback of node.errbacks ?? []) made.linkError(app.signature({ ...errback }))
  return made
}

function madeOf({ errbacks: _, ...sig }: Node): ReturnType<typeof app.signature> {
  const { body, header, tasks } = sig.kwargs
  if (sig.task === 'celery.chain') return chain((tasks ?? []).map(built))
  if (sig.task === 'celery.group') return group((tasks ?? []).map(built)) as never
  if (header && body) return chord(header.map(built), built(body)) as never
  return app.signature({ ...sig })
}
app.task('canvas.more', { bind: true }, async (self: TaskContext, sig: Record<string, unknown>) => {
  await self.addToChord(app.signature(sig))
  return 'own'
})
app.task('canvas.stamps', { bind: true }, ({ request }: TaskContext) => request.stamps)
/** Sends a group and a task, and returns what it says that it has sent. */
app.task('canvas.sends', { bind: true }, async (self: TaskContext, queue: string) => {
  await group([join.s('a'), join.s('b')]).applyAsync([], {}, { queue })
  await join.applyAsync(['c'], {}, { queue })
  return self.startedChildren
})

export default app
