import type { Kwargs } from '../protocol/message.js'
import { bindArguments, nameArguments } from './arguments.js'
import type { TaskContext } from './context.js'
import { checkArguments, checkKwargs } from './schema.js'
import type { Task } from './task.js'

/**
 * Binds and checks the arguments, and calls the handler. Without a schema it creates no promise of its own.
 * @throws TypeError for wrong arguments, with Python's texts; what the handler throws
 */
export function perform(task: Task, args: readonly unknown[], kwargs: Kwargs, context: () => TaskContext): unknown {
  const { kwargs: byName, schema } = task.options
  const invoke = (values: readonly unknown[]): unknown => {
    const handler = task.handler as (...args: unknown[]) => unknown
    return task.options.bind ? handler(context(), ...values) : handler(...values)
  }
  if (byName) {
    const named = nameArguments(task, args, kwargs)
    return schema ? checkKwargs(schema, named, task.name).then((value) => invoke([value])) : invoke([named])
  }
  const bound = bindArguments(task, args, kwargs)
  return schema ? checkArguments(schema, bound, task.declared, task.name).then(invoke) : invoke(bound)
}
