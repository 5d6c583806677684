import type { Kwargs } from '../protocol/message.js'
import { missingArguments } from '../protocol/missingArguments.js'
import type { Task } from './task.js'

/**
 * Binds a message's arguments to the handler's positions, as Python binds a call.
 * @throws TypeError with Python's text, in the order in which Python looks: unexpected or doubled, too many, missing arguments. The
 *   context of a bound task counts among those that were given, as Python's `self` does
 */
export function bindArguments(task: Task, args: readonly unknown[], kwargs: Kwargs): unknown[] {
  const { params } = task
  const { schema } = task.options
  const callee = task.name.slice(task.name.lastIndexOf('.') + 1)
  const name = `${callee}()`
  const bound: unknown[] = [...args]
  for (const key of Object.keys(kwargs)) {
    if (!params) {
      throw new TypeError(`${name} got an unexpected keyword argument '${key}' (the task declares no \`params\`)`)
    }
    const position = params.indexOf(key)
    if (position < 0) throw new TypeError(`${name} got an unexpected keyword argument '${key}'`)
    if (position < args.length) throw new TypeError(`${name} got multiple values for argument '${key}'`)
    bound[position] = kwargs[key]
  }
  // A schema for a list of arguments decides by itself how long that may be.
  const most = params?.length ?? (schema ? null : task.most)
  if (most !== null && args.length > most) throw new TypeError(`${name} ${tooMany(task, most, args.length)}`)
  const missing: string[] = []
  let count = 0
  for (let at = args.length; at < task.required; at++) {
    if (params && Object.hasOwn(kwargs, params[at] ?? '')) continue
    count++
    const missed = params?.[at] ?? task.nameAt(at)
    if (missed !== null) missing.push(missed)
  }
  if (count > 0) throw missingArguments(callee, count, missing)
  return bound
}

/**
 * Binds a message's arguments to names, for a handler that takes one object. Without `params` only keyword arguments have names.
 * @throws TypeError as `bindArguments`
 */
export function nameArguments(task: Task, args: readonly unknown[], kwargs: Kwargs): Kwargs {
  const { params } = task
  if (!params) {
    if (args.length === 0) return { ...kwargs }
    const callee = task.name.slice(task.name.lastIndexOf('.') + 1)
    throw new TypeError(`${callee}() ${tooMany(task, 0, args.length)}`)
  }
  const bound = bindArguments(task, args, kwargs)
  return Object.fromEntries(params.flatMap((name, at) => (at in bound ? [[name, bound[at]]] : [])))
}

/** CPython's `too_many_positional`. */
function tooMany(task: Task, most: number, count: number): string {
  const self = task.options.bind ? 1 : 0
  const [fewest, takes, given] = [task.required + self, most + self, count + self]
  const range = fewest < takes ? `from ${fewest} to ${takes}` : `${takes}`
  const plural = fewest < takes || takes !== 1 ? 's' : ''
  return `takes ${range} positional argument${plural} but ${given} ${given === 1 ? 'was' : 'were'} given`
}
