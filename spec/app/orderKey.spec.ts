import { describe, expect, it } from '@jest/globals'
import { compileOrderBy, compileTaskOrderBy, keyFunction, type OrderSource } from '../../lib/app/orderKey.js'
import { Task, type TaskOptions } from '../../lib/app/task.js'

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
  ] as Array<[string, Partial<OrderSource>]>)('%s gives no key for %j', (path, parts) => {
    expect(compileOrderBy(path)(source(parts))).toBeUndefined()
  })

  it.each(['', 'event.build_id', 'kwargs', 'kwargs.', 'kwargs..id', 'kwargs.a,', 'task.name', '.args.0'])(
    '%p is refused',
    (path) => {
      expect(() => compileOrderBy(path)).toThrow(/^orderBy: ".*" is no path: write one such as/)
    },
  )
})

describe('a function', () => {
  it('returns the key', () => {
    expect(compileOrderBy(({ kwargs }) => String(kwargs.id))(source({ kwargs: { id: 3 } }))).toBe('3')
  })

  it('returns its parts', () => {
    expect(compileOrderBy(() => ['9800142', 'fedora-42-x86_64'])(source())).toBe('9800142,fedora-42-x86_64')
  })

  it('gives the same key as the path of the same value', () => {
    const parts = source({ kwargs: { build: 1, chroot: 'f,42' } })
    expect(compileOrderBy(() => ['1', 'f,42'])(parts)).toBe(compileOrderBy('kwargs.build,kwargs.chroot')(parts))
  })

  it.each([
    ['undefined', undefined],
    ['null', null as unknown as undefined],
    ['no parts', []],
    ['a part that is missing', ['a', undefined as unknown as string]],
    ['a promise', Promise.resolve('a') as unknown as string],
  ] as Array<[string, string | string[] | undefined]>)('that returns %s gives no key', (_, returned) => {
    expect(compileOrderBy(() => returned)(source())).toBeUndefined()
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
    ['a,b'],
    ['a\\', 'b'],
    ['a\\,b'],
    ['a', '', 'b'],
    ['a,', 'b'],
    ['a', ',b'],
    ['a', 'b', ''],
    [''],
  ]
  const keys = lists.map((parts) => compileOrderBy(() => parts)(source()))
  expect(new Set(keys).size).toBe(lists.length)
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
    expect(() => compileTaskOrderBy({ '*': 'event.id' })).toThrow('orderBy: "event.id" is no path')
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

  it('is not taken from a header that is no text', () => {
    expect(keyFunction(null)(task(), source({ headers: { order_key: { id: 1 } } }))).toBeNull()
    expect(keyFunction(null)(task(), source({ headers: { order_key: 5 } }))).toBeNull()
  })

  it('keeps the options of tasks apart', () => {
    const keyOf = keyFunction(null)
    const [byArgs, byKwargs] = [task({ orderBy: 'args.0' }), task({ orderBy: 'kwargs.id' })]
    expect([keyOf(byArgs, all), keyOf(byKwargs, all), keyOf(byArgs, all)]).toEqual(['setting', 'option', 'setting'])
  })
})
