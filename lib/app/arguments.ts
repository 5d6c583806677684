import type { Kwargs } from '../protocol/message.js'
import type { Task } from './task.js'

const quote = (names: readonly string[]): string => {
  const quoted = names.map((name) => `'${name}'`)
  const last = quoted.pop()
  return quoted.length === 0 ? `${last}` : `${quoted.join(', ')}${quoted.length > 1 ? ',' : ''} and ${last}`
}

/**
 * Binds a message's arguments to the handler's positions, as Python binds a call.
 * @throws TypeError with Python's text: missing, unexpected or doubled arguments
 */
export function bindArguments(task: Task, args: readonly unknown[], kwargs: Kwargs): unknown[] {
  const { params } = task.options
  const name = `${task.name.slice(task.name.lastIndexOf('.') + 1)}()`
  const given = Object.keys(kwargs)
  if (!params) {
    if (given.length > 0) {
      throw new TypeError(`${name} got an unexpected keyword argument '${given[0]}' (the task declares no \`params\`)`)
    }
    const missing = task.required - args.length
    if (missing > 0)
      throw new TypeError(`${name} missing ${missing} required positional argument${missing > 1 ? 's' : ''}`)
    return [...args]
  }
  if (args.length > params.length) {
    throw new TypeError(`${name} takes ${params.length} positional arguments but ${args.length} were given`)
  }
  const bound: unknown[] = [...args]
  for (const key of given) {
    const position = params.indexOf(key)
    if (position < 0) throw new TypeError(`${name} got an unexpected keyword argument '${key}'`)
    if (position < args.length) throw new TypeError(`${name} got multiple values for argument '${key}'`)
    bound[position] = kwargs[key]
  }
  const missing = params
    .slice(0, task.required)
    .filter((param, at) => at >= args.length && !Object.hasOwn(kwargs, param))
  if (missing.length > 0) {
    throw new TypeError(
      `${name} missing ${missing.length} required positional argument${missing.length > 1 ? 's' : ''}: ${quote(missing)}`,
    )
  }
  return bound
}
