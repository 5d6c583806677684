import { listSignature, taskSignature } from '../../canvas/signature.js'
import { RemoteError } from '../../protocol/exception.js'
import type { TaskContext } from '../context.js'
import { type BoundHandler, Task } from '../task.js'
import type { ApplySignature } from '../workflow/signature.js'

/** Arguments of `celery.accumulate` at most: one for each name. */
const MOST = 255

/**
 * The tasks that Celery has in every app for its workflows, and the one that beat sends daily. `celery.chunks` and `celery.group` are seldom
 * sent, by old clients alone.
 */
export function workflowTasks(apply: ApplySignature): readonly Task[] {
  const names = Array.from({ length: MOST }, (_, at) => `value${at}?`)
  return [
    new Task('celery.accumulate', { bind: true, params: [...names, 'index?'] }, accumulate as BoundHandler),
    new Task('celery.chunks', { params: ['task', 'it', 'n'] }, (task: unknown, it: readonly unknown[], n: number) => {
      const parts = Array.from({ length: Math.ceil(it.length / n) }, (_, at) => it.slice(at * n, (at + 1) * n))
      const group = parts.map((part) => taskSignature('celery.starmap', [], { task, it: part }))
      return apply(listSignature('group', group), {})
    }),
    new Task('celery.chain', {}, (..._: unknown[]) => {
      throw python('NotImplementedError', 'chain is not a real task', 'builtins')
    }),
    // Results expire by themselves wherever they are kept here.
    new Task('celery.backend_cleanup', {}, () => null),
  ]
}

function accumulate({ request: { args, kwargs } }: TaskContext, ..._: unknown[]): unknown {
  const { index = null } = kwargs
  return typeof index === 'number' ? args.at(index) : args
}

function python(exc_type: string, text: string, exc_module: string): RemoteError {
  return new RemoteError({ exc_type, exc_message: [text], exc_module })
}
