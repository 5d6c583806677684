import { execFileSync } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'
import { bindArguments } from '../../lib/app/arguments.js'
import { Task } from '../../lib/app/task.js'
import type { TaskOptions } from '../../lib/app/taskOptions.js'

type Handler = (...args: never[]) => unknown
type Call = readonly [args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>]

/** Calls functions whose signatures it is given, and prints what Python says of each call, or null. */
const PYTHON = `
import json, sys
def call(signature, args, kwargs):
    scope = {}
    exec('def f(%s): pass' % signature, scope)
    try:
        scope['f'](*args, **kwargs)
    except TypeError as exc:
        return str(exc)
print(json.dumps([[call(each, *c) for c in calls] for each, calls in json.load(sys.stdin)]))
`

/** One signature in both languages; the context of a bound task is Python's `self`. */
const SIGNATURES: ReadonlyArray<readonly [python: string, options: TaskOptions, handler: Handler]> = [
  ['', { params: [] }, () => 0],
  ['', {}, () => 0],
  ['a', { params: ['a'] }, (_a: never) => 0],
  ['a, b', { params: ['a', 'b'] }, (_a: never, _b: never) => 0],
  ['a, b, c', { params: ['a', 'b', 'c'] }, (_a: never, _b: never, _c: never) => 0],
  ['a, b, c, d', { params: ['a', 'b', 'c', 'd'] }, (_a: never, _b: never, _c: never, _d: never) => 0],
  ['a=1', { params: ['a'] }, (_a = 1) => 0],
  ['a, b=1', { params: ['a', 'b'] }, (_a: never, _b = 1) => 0],
  ['a, b=1, c=2', { params: ['a', 'b', 'c'] }, (_a: never, _b = 1, _c = 2) => 0],
  ['self', { bind: true, params: [] }, (_self: never) => 0],
  ['self', { bind: true }, (_self: never) => 0],
  ['self, a', { bind: true, params: ['a'] }, (_self: never, _a: never) => 0],
  ['self, a, b=1', { bind: true, params: ['a', 'b'] }, (_self: never, _a: never, _b = 1) => 0],
]

const CALLS: readonly Call[] = [
  ...[0, 1, 2, 3, 4, 5].map((count): Call => [Array.from({ length: count }, (_, at) => at), {}]),
  [[], { a: 1 }],
  [[], { b: 1 }],
  [[], { c: 1, a: 1 }],
  [[1], { a: 1 }],
  [[1], { b: 1 }],
  [[1, 2], { z: 1 }],
  [[1, 2, 3, 4, 5], { z: 1 }],
  [[1, 2, 3, 4, 5], { a: 1 }],
]

describe("the texts of a wrong call, beside Python's own", () => {
  const input = SIGNATURES.map(([python, { bind }]) => [
    python,
    CALLS.map(([args, kwargs]) => [bind ? ['self', ...args] : args, kwargs]),
  ])
  const output = execFileSync('/usr/bin/python3', ['-c', PYTHON], { input: JSON.stringify(input) })
  const expected = JSON.parse(output.toString()) as ReadonlyArray<ReadonlyArray<string | null>>

  it.each(SIGNATURES.map((signature, at) => [...signature, expected[at]] as const))(
    'f(%s), %j',
    (_python, options, handler, texts) => {
      const task = new Task('spec.f', options, handler)
      const ours = CALLS.map(([args, kwargs]) => {
        try {
          bindArguments(task, args, kwargs)
          return null
        } catch (thrown) {
          return (thrown as Error).message.replace(' (the task declares no `params`)', '')
        }
      })
      expect(ours).toEqual(texts)
      expect(texts).toContainEqual(expect.stringMatching(/given$/))
    },
  )
})
