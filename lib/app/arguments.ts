import type { Kwargs } from '../protocol/message.js'
import { missingArguments } from '../protocol/missingArguments.js'
import type { Task } from './task.js'

/** The arguments of a call, sorted by how they are passed on. */
interface Bound {
  /** Arguments with a name or a position of their own; with holes for those that were left out. */
  readonly named: unknown[]
  /** Further positional arguments. */
  readonly rest: readonly unknown[]
  /** Keyword arguments with other names. */
  readonly others: Kwargs
}

/**
 * Binds a message's arguments to the handler's positions, as Python binds a call.
 * @throws TypeError with Python's text, checked in Python's order: unexpected or duplicate, too many, missing
 *   arguments. The context of a bound task counts among the arguments given, as Python's `self` does
 */
export function bindArguments(task: Task, args: readonly unknown[], kwargs: Kwargs): unknown[] {
  const { named, others, rest } = bind(task, args, kwargs)
  const { declared } = task
  if (!declared || (declared.options === null && rest.length === 0)) return named
  named.length = declared.names.length
  return [...named, ...(declared.options === null ? [] : [others]), ...rest]
}

/**
 * Binds a message's arguments to names, for a handler that takes one object. Without `params` only keyword arguments
 * have names.
 * @throws TypeError as `bindArguments`
 */
export function nameArguments(task: Task, args: readonly unknown[], kwargs: Kwargs): Kwargs {
  const { declared } = task
  if (!declared) {
    if (args.length === 0) return { ...kwargs }
    throw new TypeError(`${calleeOf(task)}() ${tooMany(task, 0, args.length)}`)
  }
  const { named, others, rest } = bind(task, args, kwargs)
  if (declared.rest !== null && Object.hasOwn(others, declared.rest)) throw unexpected(task, declared.rest)
  return Object.fromEntries([
    ...Object.entries(others),
    ...declared.names.flatMap((name, at) => (at in named ? [[name, named[at]]] : [])),
    ...(declared.rest === null ? [] : [[declared.rest, rest]]),
  ])
}

/** @throws TypeError */
function bind(task: Task, args: readonly unknown[], kwargs: Kwargs): Bound {
  const { declared, params } = task
  const hasRest = params !== undefined && declared?.rest !== null
  const named: unknown[] = hasRest ? args.slice(0, params.length) : [...args]
  const others: [string, unknown][] = []
  for (const key of Object.keys(kwargs)) {
    const position = params?.indexOf(key) ?? -1
    if (position >= 0) {
      if (position < args.length) throw new TypeError(`${calleeOf(task)}() got multiple values for argument '${key}'`)
      named[position] = kwargs[key]
    } else if (declared && declared.options !== null) others.push([key, kwargs[key]])
    else throw unexpected(task, key)
  }
  // A schema for a list of arguments checks their number itself.
  const most = params?.length ?? (task.options.schema ? null : task.most)
  if (most !== null && args.length > most && !hasRest) {
    throw new TypeError(`${calleeOf(task)}() ${tooMany(task, most, args.length)}`)
  }
  const missing: string[] = []
  let count = 0
  for (let at = args.length; at < task.required; at++) {
    if (params && Object.hasOwn(kwargs, params[at] ?? '')) continue
    count++
    const missed = params?.[at] ?? task.nameAt(at)
    if (missed !== null) missing.push(missed)
  }
  if (count > 0) throw missingArguments(calleeOf(task), count, missing)
  return { named, rest: hasRest ? args.slice(params.length) : [], others: Object.fromEntries(others) }
}

function calleeOf({ name }: Task): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function unexpected(task: Task, key: string): TypeError {
  const why = task.params ? '' : ' (the task declares no `params`)'
  return new TypeError(`${calleeOf(task)}() got an unexpected keyword argument '${key}'${why}`)
}

/** CPython's `too_many_positional`. */
function tooMany(task: Task, most: number, count: number): string {
  const self = task.options.bind ? 1 : 0
  const [fewest, takes, given] = [task.required + self, most + self, count + self]
  const range = fewest < takes ? `from ${fewest} to ${takes}` : `${takes}`
  const plural = fewest < takes || takes !== 1 ? 's' : ''
  return `takes ${range} positional argument${plural} but ${given} ${given === 1 ? 'was' : 'were'} given`
}
