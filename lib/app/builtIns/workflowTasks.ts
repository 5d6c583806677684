import { type CanvasLimits, parseSignature, parseSignatures } from '../../canvas/parse.js'
import { shortened } from '../../canvas/resultNode.js'
import { chordSignature, listSignature, taskSignature } from '../../canvas/signature.js'
import { SignatureError } from '../../canvas/signatureError.js'
import { RemoteError } from '../../protocol/exception.js'
import { isTuple } from '../../protocol/groupResult.js'
import type { ResultTuple } from '../../protocol/result.js'
import type { TaskContext } from '../context.js'
import { addChild } from '../current.js'
import type { AnyResult } from '../result.js'
import { type BoundHandler, Task } from '../task.js'
import type { SignatureHome } from '../workflow/signature.js'

/**
 * The tasks that Celery has in every app for its workflows, and the one that beat sends daily. `celery.chunks`,
 * `celery.group` and `celery.chord` are rarely sent, and only by old clients.
 */
export function workflowTasks(home: SignatureHome, limits: CanvasLimits): readonly Task[] {
  return [
    new Task('celery.accumulate', { bind: true, params: ['**options', '...values'] }, accumulate as BoundHandler),
    new Task('celery.chunks', { params: ['task', 'it', 'n'] }, (task: unknown, it: unknown, n: unknown) => {
      const group = chunksOf(it, n).map((part) => taskSignature('celery.starmap', [], { task, it: part }))
      return home.apply(listSignature('group', group), {})
    }),
    new Task(
      'celery.group',
      { params: ['tasks', 'result', 'group_id', 'partial_args', 'add_to_parent?'] },
      (...call: GroupCall) => sendGroup(home, limits, call),
    ),
    new Task(
      'celery.chord',
      { params: ['header', 'body', 'partial_args?', 'interval?', 'countdown?', 'max_retries?', 'eager?'] },
      (header: unknown, body: unknown, partial: readonly unknown[] = [], ..._: unknown[]) => {
        const chord = { ...chordSignature(listSignature('group', []), null), kwargs: { header, body } }
        return home.apply(parseSignature(chord, 'chord', limits), { args: partial })
      },
    ),
    new Task('celery.chain', {}, (..._: unknown[]) => {
      throw python('NotImplementedError', 'chain is not a real task', 'builtins')
    }),
    // All backends here expire results by themselves.
    new Task('celery.backend_cleanup', {}, () => null),
  ]
}

/** Anyone who can send a message chooses the size: one near 0 would ask for more chunks than memory can hold. */
function chunksOf(items: unknown, size: unknown): unknown[][] {
  if (!Array.isArray(items)) throw new TypeError('celery.chunks: `it` must be a list')
  if (!Number.isInteger(size) || (size as number) < 1) {
    throw new TypeError('celery.chunks: `n` must be an integer of at least 1')
  }
  const n = size as number
  return Array.from({ length: Math.ceil(items.length / n) }, (_, at) => items.slice(at * n, (at + 1) * n) as unknown[])
}

/** The arguments of `celery.group`. */
type GroupCall = [
  tasks: unknown,
  result: unknown,
  groupId: string,
  partialArgs: readonly unknown[],
  addToParent?: boolean,
]

/**
 * The sender knows the ids of all members, and passes them as `result`. Its members are those that were sent: what else
 * a message may list there would be stored, and read, as often as this result is.
 */
async function sendGroup(
  home: SignatureHome,
  limits: CanvasLimits,
  [tasks, result, groupId, args, addToParent = true]: GroupCall,
): Promise<AnyResult> {
  if (!isTuple(result)) throw new SignatureError('result', 'must be the result of a group')
  const sent: ResultTuple[] = []
  for (const sig of parseSignatures(tasks, 'tasks', limits)) {
    sent.push((await home.apply(sig, { args, options: { group_id: groupId, add_to_parent: false } })).toJSON())
  }
  const group = shortened([result[0], sent])
  if (addToParent) addChild(() => group)
  return home.resultOf(group)
}

function accumulate({ request: { args, kwargs } }: TaskContext, ..._: unknown[]): unknown {
  const { index = null } = kwargs
  if (index === null) return args
  if (!Number.isInteger(index)) throw new TypeError('celery.accumulate: `index` must be an integer')
  const at = (index as number) < 0 ? args.length + (index as number) : (index as number)
  if (at < 0 || at >= args.length) throw python('IndexError', 'tuple index out of range', 'builtins')
  return args[at]
}

function python(exc_type: string, text: string, exc_module: string): RemoteError {
  return new RemoteError({ exc_type, exc_message: [text], exc_module })
}
