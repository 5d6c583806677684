import { type CanvasLimits, parseSignature } from '../../canvas/parse.js'
import type { TaskContext } from '../context.js'
import { perform } from '../perform.js'
import { isPredicate } from '../predicate.js'
import type { Registry } from '../registry.js'
import { Task } from '../task.js'

/** Celery's `celery.map`: calls a task of this app with each item, one after another, in one run. */
export function map(tasks: Registry, limits: CanvasLimits): Task {
  return overMany('celery.map', { tasks, limits }, (item) => [item])
}

/** Celery's `celery.starmap`: calls a task of this app with each list of arguments, one after another, in one run. */
export function starmap(tasks: Registry, limits: CanvasLimits): Task {
  return overMany('celery.starmap', { tasks, limits }, (item) => {
    if (Array.isArray(item)) return item
    throw new TypeError('celery.starmap: each of `it` must be a list of arguments')
  })
}

function overMany(
  name: string,
  { limits, tasks }: { readonly limits: CanvasLimits; readonly tasks: Registry },
  argsOf: (item: unknown) => readonly unknown[],
): Task {
  const params = ['task', 'it']
  return new Task(name, { bind: true, params }, async (self: TaskContext, sig: unknown, items: unknown) => {
    const called = parseSignature(sig, 'task', limits).task
    const task = tasks.get(called)
    if (!task) throw new TypeError(`${name}: this worker has no task ${called}`)
    if (!Array.isArray(items)) throw new TypeError(`${name}: \`it\` must be a list`)
    const results: unknown[] = []
    for (const item of items) {
      self.signal.throwIfAborted()
      const result = await perform(task, argsOf(item), {}, () => self)
      if (isPredicate(result)) throw result
      results.push(result ?? null)
    }
    return results
  })
}
