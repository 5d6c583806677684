import { describe, expect, it } from '@jest/globals'
import { bindArguments, nameArguments } from '../../lib/app/arguments.js'
import { Task } from '../../lib/app/task.js'

const fetch = new Task('tasks.fetch', { params: ['url', 'depth'] }, (_url: string, _depth = 1) => undefined)
const bound = new Task('tasks.bound', { bind: true, params: ['url'] }, (_self: unknown, _url: string) => undefined)
const add = new Task('tasks.add', {}, (_x: number, _y: number) => undefined)

describe('bindArguments', () => {
  it('puts keyword arguments at the positions of their names', () => {
    expect(bindArguments(fetch, [], { depth: 2, url: 'u' })).toEqual(['u', 2])
    expect(bindArguments(fetch, ['u'], { depth: 2 })).toEqual(['u', 2])
  })

  it('leaves out what has a default', () => {
    expect(bindArguments(fetch, ['u'], {})).toEqual(['u'])
  })

  it('does not count the context of a bound task', () => {
    expect(bindArguments(bound, ['u'], {})).toEqual(['u'])
    expect(() => bindArguments(bound, [], {})).toThrow("bound() missing 1 required positional argument: 'url'")
  })

  it.each([
    [fetch, [], {}, "fetch() missing 1 required positional argument: 'url'"],
    [fetch, [], { url: 'u', deep: 1 }, "fetch() got an unexpected keyword argument 'deep'"],
    [fetch, ['u'], { url: 'u' }, "fetch() got multiple values for argument 'url'"],
    [fetch, ['u', 1, 2], {}, 'fetch() takes from 1 to 2 positional arguments but 3 were given'],
    [bound, ['u', 1], {}, 'bound() takes 2 positional arguments but 3 were given'],
    [add, [1], {}, "add() missing 1 required positional argument: '_y'"],
    [add, [1, 2, 3], {}, 'add() takes 2 positional arguments but 3 were given'],
    [add, [1, 2], { z: 1 }, "add() got an unexpected keyword argument 'z'"],
  ])("complains in Python's words", (task, args, kwargs, text) => {
    expect(() => bindArguments(task, args, kwargs)).toThrow(
      new TypeError(text + ('z' in kwargs ? ' (the task declares no `params`)' : '')),
    )
  })

  it('names several missing arguments as Python does', () => {
    const three = new Task('t.three', { params: ['a', 'b', 'c'] }, (_a: 1, _b: 2, _c: 3) => undefined)
    expect(() => bindArguments(three, [], {})).toThrow(
      "three() missing 3 required positional arguments: 'a', 'b', and 'c'",
    )
    expect(() => bindArguments(three, [1], {})).toThrow("three() missing 2 required positional arguments: 'b' and 'c'")
  })

  it('takes any number of arguments where the handler does, or may', () => {
    const rest = new Task('t.rest', {}, (_first: unknown, ..._rest: unknown[]) => undefined)
    const wrapped = new Task('t.wrapped', {}, ((_x: unknown) => undefined).bind(null))
    for (const task of [rest, wrapped]) expect(bindArguments(task, [1, 2, 3], {})).toEqual([1, 2, 3])
  })

  it('leaves the number of arguments to a schema that takes a list', () => {
    const schema = { '~standard': { validate: (value: unknown) => ({ value }) } }
    const checked = new Task('t.checked', { schema }, (_x: unknown) => undefined)
    expect(bindArguments(checked, [1, 2], {})).toEqual([1, 2])
  })

  describe('of a task that gathers the rest', () => {
    const none = (): undefined => undefined
    const rest = new Task('t.rest', { params: ['a', 'b?', '...ids'] }, (_a: 1, _b = 2, ..._ids: unknown[]) => none())
    const options = new Task('t.options', { params: ['a', 'b?', '**options'] }, (_a: 1, _b: 2, _options: object) =>
      none(),
    )
    const both = new Task(
      't.both',
      { bind: true, params: ['a', '**options', '...ids'] },
      (_self: unknown, _a: 1, _options: object, ..._ids: unknown[]) => none(),
    )
    const all = new Task('t.all', { params: ['**options', '...ids'] }, (_options: object, ..._ids: unknown[]) => none())
    const wrapped = new Task('t.wrapped', { params: ['a', '**options', '...ids'] }, (..._all: unknown[]) => none())

    it.each<[Task, unknown[], Record<string, unknown>, unknown[]]>([
      [rest, [1], {}, [1]],
      [rest, [1, 2, 3, 4], {}, [1, 2, 3, 4]],
      [rest, [1], { b: 2 }, [1, 2]],
      [options, [1], {}, [1, undefined, {}]],
      [options, [1], { c: 3, b: 2, d: 4 }, [1, 2, { c: 3, d: 4 }]],
      [options, [], { a: 1, options: 5 }, [1, undefined, { options: 5 }]],
      [both, [1, 2, 3], { c: 4 }, [1, { c: 4 }, 2, 3]],
      [both, [], { a: 1, ids: 2 }, [1, { ids: 2 }]],
      [all, [], {}, [{}]],
      [all, [1, 2], { a: 3 }, [{ a: 3 }, 1, 2]],
      [wrapped, [1, 2], { c: 3 }, [1, { c: 3 }, 2]],
    ])('puts it behind what has a name: %#', (task, args, kwargs, expected) => {
      expect(bindArguments(task, args, kwargs)).toEqual(expected)
    })

    it.each<[Task, unknown[], Record<string, unknown>, string]>([
      [rest, [], {}, "rest() missing 1 required positional argument: 'a'"],
      [rest, [1, 2, 3], { b: 2 }, "rest() got multiple values for argument 'b'"],
      [rest, [1], { ids: [] }, "rest() got an unexpected keyword argument 'ids'"],
      [options, [1, 2, 3], {}, 'options() takes from 1 to 2 positional arguments but 3 were given'],
      [options, [], { c: 1 }, "options() missing 1 required positional argument: 'a'"],
      [options, [1], { a: 1 }, "options() got multiple values for argument 'a'"],
      [both, [], { c: 1 }, "both() missing 1 required positional argument: 'a'"],
      [wrapped, [], {}, "wrapped() missing 1 required positional argument: 'a'"],
    ])("complains in Python's words: %#", (task, args, kwargs, text) => {
      expect(() => bindArguments(task, args, kwargs)).toThrow(new TypeError(text))
    })

    it('takes a name that objects have by themselves for any other', () => {
      const [, , others] = bindArguments(
        options,
        [1],
        JSON.parse('{"__proto__": {"b": 1}, "constructor": 2}'),
      ) as object[]
      expect(Object.getPrototypeOf(others)).toBe(Object.prototype)
      expect(Object.keys(others ?? {})).toEqual(['__proto__', 'constructor'])
    })

    it('has it beside the others in a handler that takes one object', () => {
      const named = new Task('t.named', { kwargs: true, params: ['a', '**others', '...ids'] }, none)
      expect(nameArguments(named, [1, 2, 3], { c: 4 })).toEqual({ a: 1, ids: [2, 3], c: 4 })
      expect(nameArguments(named, [], { a: 1 })).toEqual({ a: 1, ids: [] })
      expect(() => nameArguments(named, [1], { ids: 2 })).toThrow("named() got an unexpected keyword argument 'ids'")
      expect(() => nameArguments(named, [], { c: 2 })).toThrow("named() missing 1 required positional argument: 'a'")
      const strict = new Task('t.strict', { kwargs: true, params: ['a', '...ids'] }, none)
      expect(() => nameArguments(strict, [1], { c: 2 })).toThrow("strict() got an unexpected keyword argument 'c'")
    })

    it.each<[string[], (...args: never[]) => unknown, string]>([
      [['a', '...ids'], (_a: 1, _ids: unknown[]) => 1, 'params gathers ...ids, and the handler has no ...rest'],
      [['a', '**o'], (_a: 1) => 1, 'params names 2 arguments, and the handler takes 1: add **o to the handler'],
      [
        ['a', '**o', '...ids'],
        (_a: 1, ..._ids: unknown[]) => 1,
        'params names 2 arguments, and the handler takes 1: add **o to the handler, before its ...rest',
      ],
    ])('is refused where the handler has no place for it: %j', (params, handler, text) => {
      expect(() => new Task('t.x', { params }, handler)).toThrow(`task t.x: ${text}`)
    })
  })

  describe('of a function around the handler', () => {
    const wrap =
      (fn: (...args: never[]) => unknown) =>
      async (...args: never[]): Promise<unknown> =>
        fn(...args)
    const handler = (_url: string, _depth = 1): void => undefined

    it('are those of params, whatever the function tells of itself', () => {
      const task = new Task('t.wrapped', { params: ['url', 'depth'] }, wrap(handler))
      expect(() => bindArguments(task, ['u'], {})).toThrow("wrapped() missing 1 required positional argument: 'depth'")
      expect(bindArguments(task, ['u'], { depth: 2 })).toEqual(['u', 2])
    })

    it('may be left out where a question mark says so', () => {
      const self = (_self: unknown, ..._args: unknown[]): void => undefined
      for (const [bind, fn] of [
        [false, wrap(handler)],
        [true, self],
        [false, handler],
        [false, handler.bind(null)],
      ] as const) {
        const task = new Task('t.wrapped', { bind, params: ['url', 'depth?'] }, fn)
        expect(bindArguments(task, ['u'], {})).toEqual(['u'])
        expect(bindArguments(task, [], { depth: 2, url: 'u' })).toEqual(['u', 2])
        expect(() => bindArguments(task, [], { depth: 2 })).toThrow(
          "wrapped() missing 1 required positional argument: 'url'",
        )
        expect(() => bindArguments(task, [], { 'depth?': 2 })).toThrow("unexpected keyword argument 'depth?'")
      }
    })
  })
})
