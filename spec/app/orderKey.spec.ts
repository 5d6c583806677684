import { describe, expect, it } from '@jest/globals'
import {
  compileOrderBy,
  compileTaskOrderBy,
  containersOf,
  hasKeyHeader,
  keyFunction,
  type OrderKey,
  type OrderPart,
  type OrderSource,
} from '../../lib/app/orderKey.js'
import { Task } from '../../lib/app/task.js'
import type { TaskOptions } from '../../lib/app/taskOptions.js'

function source(parts: Partial<OrderSource> = {}): OrderSource {
  return { task: 'packit.build_end', args: [], kwargs: {}, headers: {}, ...parts }
}

const task = (options: TaskOptions = {}): Task => new Task('packit.build_end', options, () => undefined)

describe('a path', () => {
  it.each([
    ['kwargs.event.build_id', { kwargs: { event: { build_id: 9800142 } } }, '9800142'],
    ['kwargs.event.build_id', { kwargs: { event: { build_id: '9800142' } } }, '9800142'],
    ['args.0', { args: ['a', 'b'] }, 'a'],
    ['args.1.id', { args: ['a', { id: 7 }] }, '7'],
    ['headers.tenant', { headers: { tenant: 't1' } }, 't1'],
    ['task', {}, 'packit.build_end'],
    ['kwargs.done', { kwargs: { done: false } }, 'false'],
    ['kwargs.id', { kwargs: { id: 0 } }, '0'],
    ['kwargs.id', { kwargs: { id: '' } }, ''],
    ['kwargs.build, kwargs.chroot', { kwargs: { build: 1, chroot: 'f42' } }, '1,f42'],
    ['kwargs.build/kwargs.chroot', { kwargs: { build: 1, chroot: 'f42' } }, '1/f42'],
    ['kwargs.build / kwargs.chroot', { kwargs: { build: 1, chroot: 'f42' } }, '1/f42'],
    ['kwargs.build/kwargs.chroot', { kwargs: { build: 1 } }, '1'],
    ['kwargs.build/kwargs.chroot', { kwargs: { build: 1, chroot: null } }, '1'],
    ['kwargs.build/kwargs.chroot/task', { kwargs: { build: 1 } }, '1'],
    ['kwargs.owner,kwargs.project/kwargs.build', { kwargs: { owner: 'o', project: 'p', build: 1 } }, 'o,p/1'],
    ['kwargs.id', { kwargs: { id: 'a/b' } }, 'a\\/b'],
  ] as Array<[string, Partial<OrderSource>, string]>)('%s finds its value in %j', (path, parts, key) => {
    expect(compileOrderBy(path)(source(parts))).toBe(key)
  })

  it.each([
    ['kwargs.event.build_id', { kwargs: {} }],
    ['kwargs.event.build_id', { kwargs: { event: null } }],
    ['kwargs.event.build_id', { kwargs: { event: 'text' } }],
    ['kwargs.event', { kwargs: { event: { build_id: 1 } } }],
    ['kwargs.event', { kwargs: { event: null } }],
    ['kwargs.ids', { kwargs: { ids: [1] } }],
    ['kwargs.id', { kwargs: { id: Number.NaN } }],
    ['args.1', { args: ['a'] }],
    ['args.length', { args: { hasOwn: false } as unknown as unknown[] }],
    ['kwargs.constructor.name', { kwargs: {} }],
    ['kwargs.toString', { kwargs: {} }],
    ['kwargs.build, kwargs.chroot', { kwargs: { build: 1 } }],
    ['kwargs.build/kwargs.chroot', { kwargs: { chroot: 'f42' } }],
  ] as Array<[string, Partial<OrderSource>]>)('%s gives no key for %j', (path, parts) => {
    expect(compileOrderBy(path)(source(parts))).toBeUndefined()
  })

  it.each([
    '',
    'event.build_id',
    'kwargs',
    'kwargs.',
    'kwargs..id',
    'kwargs.a,',
    'kwargs.a/',
    '/kwargs.a',
    'task.name',
    '.args.0',
  ])('%p is refused', (path) => {
    expect(() => compileOrderBy(path)).toThrow(/^orderBy: ".*" is not a path; write one such as/)
  })
})

describe('a function', () => {
  it('returns the key', () => {
    expect(compileOrderBy(({ kwargs }) => String(kwargs.id))(source({ kwargs: { id: 3 } }))).toBe('3')
  })

  it.each([
    [['9800142', 'fedora-42-x86_64'], '9800142/fedora-42-x86_64'],
    [[9800142, true], '9800142/true'],
    [['9800142', undefined], '9800142'],
    [['9800142', null, 'fedora-42-x86_64'], '9800142'],
    [9800142, '9800142'],
    ['a/b', 'a\\/b'],
    [['a/b', 'c'], 'a\\/b/c'],
  ] as Array<[OrderKey, string]>)('that returns %j gives the key %s', (returned, key) => {
    expect(compileOrderBy(() => returned)(source())).toBe(key)
  })

  it('gives the same key as the path of the same values', () => {
    const parts = source({ kwargs: { build: 1, chroot: 'f/42' } })
    expect(compileOrderBy(() => ['1', 'f/42'])(parts)).toBe(compileOrderBy('kwargs.build/kwargs.chroot')(parts))
  })

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['no parts', []],
    ['nothing for the first part', [undefined, 'b']],
  ] as Array<[string, OrderKey]>)('that returns %s gives no key', (_, returned) => {
    expect(compileOrderBy(() => returned)(source())).toBeUndefined()
  })

  it.each([
    ['a promise', Promise.resolve('a'), /^orderBy returned .*Promise.*, which is not a valid key/],
    [
      'an object',
      { id: 1 },
      "orderBy returned {'id': 1}, which is not a valid key; expected a string, a number, or a list of these",
    ],
    ['what is no number', Number.NaN, /^orderBy returned NaN, which is not a valid key/i],
    ['an object among its parts', ['a', { id: 1 }], /^orderBy returned \['a', {'id': 1}\], which is not a valid key/],
    ['a list within the list', [['a', 'b']], /, which is not a valid key/],
  ] as Array<[string, unknown, string | RegExp]>)('that returns %s is refused', (_, returned, message) => {
    const keyOf = compileOrderBy(() => returned as OrderKey)
    expect(() => keyOf(source())).toThrow(TypeError)
    expect(() => keyOf(source())).toThrow(message)
  })

  it('that throws is heard by the caller', () => {
    const keyOf = compileOrderBy(() => {
      throw new RangeError('no build')
    })
    expect(() => keyOf(source())).toThrow(new RangeError('no build'))
  })
})

it('different parts never give the same key', () => {
  const lists = [
    ['a', 'b'],
    ['a/b'],
    ['a,b'],
    ['a\\', 'b'],
    ['a\\/b'],
    ['a', '', 'b'],
    ['a/', 'b'],
    ['a', '/b'],
    ['a', 'b', ''],
    [''],
  ]
  const keys = lists.map((parts) => compileOrderBy(() => parts)(source()))
  expect(new Set(keys).size).toBe(lists.length)
  const pair = { kwargs: { a: 'x', b: 'y', c: 'x,y' } }
  expect(compileOrderBy('kwargs.a,kwargs.b')(source(pair))).not.toBe(compileOrderBy('kwargs.c')(source(pair)))
})

describe('the containers of a key', () => {
  const keyOf = (...parts: OrderPart[]): string => compileOrderBy(() => parts)(source()) ?? ''

  it.each([
    [['a'], []],
    [['a/b'], []],
    [['a', 'b'], [['a']]],
    [
      ['a', 'b', 'c'],
      [['a'], ['a', 'b']],
    ],
    [
      ['a/', '/b', 'c'],
      [['a/'], ['a/', '/b']],
    ],
    [['a\\', 'b'], [['a\\']]],
    [['', ''], [['']]],
  ] as Array<[string[], string[][]]>)('%j are %j', (parts, containers) => {
    expect(containersOf(keyOf(...parts))).toEqual(containers.map((each) => keyOf(...each)))
  })
})

describe('task_order_by', () => {
  const parts = { kwargs: { a: 'A', b: 'B' } }

  it.each([
    ['packit.*', 'packit.build_end', true],
    ['*', 'packit.build_end', true],
    ['packit.build_???', 'packit.build_end', true],
    ['packit.build_??', 'packit.build_end', false],
    ['build_end', 'packit.build_end', false],
    ['packit', 'packit.build_end', false],
    ['packit.*', 'packitXbuild_end', false],
    ['a+(b)[c]', 'a+(b)[c]', true],
  ])('%p and the task %p: %p', (pattern, name, matches) => {
    const keyOf = compileTaskOrderBy({ [pattern]: 'kwargs.a' })
    expect(keyOf(source({ ...parts, task: name }))).toBe(matches ? 'A' : undefined)
  })

  it('takes the first pattern that matches', () => {
    const keyOf = compileTaskOrderBy({ 'other.*': 'kwargs.a', 'packit.*': 'kwargs.b', '*': 'kwargs.a' })
    expect(keyOf(source(parts))).toBe('B')
    expect(keyOf(source(parts))).toBe('B')
    expect(keyOf(source({ ...parts, task: 'z' }))).toBe('A')
  })

  it('asks no further pattern when the path of the first leads nowhere', () => {
    const keyOf = compileTaskOrderBy({ 'packit.*': 'kwargs.missing', '*': 'kwargs.a' })
    expect(keyOf(source(parts))).toBeUndefined()
  })

  it('refuses a wrong path before any message comes', () => {
    expect(() => compileTaskOrderBy({ '*': 'event.id' })).toThrow('orderBy: "event.id" is not a path')
  })
})

describe('the key of a message', () => {
  const all = source({ args: ['setting'], kwargs: { id: 'option' }, headers: { order_key: 'header' } })

  it.each([
    ['the option of its task before all', { orderBy: 'kwargs.id' }, { '*': 'args.0' }, 'option'],
    ['the setting, without an option', {}, { '*': 'args.0' }, 'setting'],
    ['the setting, when the option gives none', { orderBy: 'kwargs.x' }, { '*': 'args.0' }, 'setting'],
    ['the header, when the setting gives none', {}, { '*': 'args.1' }, 'header'],
    ['the header, when no pattern matches', {}, { 'other.*': 'args.0' }, 'header'],
    ['the header, without option and setting', {}, null, 'header'],
  ] as Array<[string, TaskOptions, Record<string, string> | null, string]>)('is of %s', (_, options, setting, key) => {
    expect(keyFunction(setting)(task(options), all)).toBe(key)
  })

  it('is null when there is none', () => {
    expect(keyFunction(null)(task(), source())).toBeNull()
    expect(keyFunction({ '*': 'args.0' })(task({ orderBy: () => undefined }), source())).toBeNull()
  })

  it.each([
    ['b', 'b'],
    ['a,b/c', 'a\\,b\\/c'],
    [5, '5'],
    [['9800142', 'f42'], '9800142/f42'],
    [[9800142], '9800142'],
    [null, null],
    [[], null],
  ] as Array<[unknown, string | null]>)('is, by the header %j, %p', (order_key, key) => {
    expect(keyFunction(null)(task(), source({ headers: { order_key } }))).toBe(key)
  })

  it('is not told by a header that is no key', () => {
    expect(() => keyFunction(null)(task(), source({ headers: { order_key: { id: 1 } } }))).toThrow(
      new TypeError(
        "the header order_key is {'id': 1}, which is not a valid key; expected a string, a number, or a list of these",
      ),
    )
  })

  it.each([
    [undefined, false],
    [{}, false],
    [{ order_key: null }, false],
    [{ order_key: '' }, true],
    [{ order_key: { id: 1 } }, true],
  ])('is named by the headers %j: %p', (headers, named) => {
    expect(hasKeyHeader(headers)).toBe(named)
  })

  it('keeps the options of tasks apart', () => {
    const keyOf = keyFunction(null)
    const [byArgs, byKwargs] = [task({ orderBy: 'args.0' }), task({ orderBy: 'kwargs.id' })]
    expect([keyOf(byArgs, all), keyOf(byKwargs, all), keyOf(byArgs, all)]).toEqual(['setting', 'option', 'setting'])
  })
})
