import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import { type StampedPart, type StampingVisitor, type Stamps, stampAll } from '../../lib/app/workflow/stamps.js'
import { NO_LIMITS, parseSignature } from '../../lib/canvas/parse.js'
import { Celery, chain, chord, group } from '../../lib/index.js'
import { testWorker } from '../../lib/testing/testWorker.js'

interface Case {
  readonly before: unknown
  readonly told: readonly string[]
  readonly append: boolean
  readonly after: unknown
}

/** What Celery 5.6.3 did: `stamps56.py` has written it. */
const CASES = readFileSync(fileURLToPath(new URL('stamps56.jsonl', import.meta.url)), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case)

/** The visitor of `stamps56.py`. */
function teller(told: readonly string[]): StampingVisitor {
  const tell = (place: string, stamps: Stamps): Stamps => (told.includes(place) ? stamps : {})
  const count = ({ kwargs }: StampedPart): number => (kwargs.tasks as unknown[]).length
  const header = ({ kwargs }: StampedPart): StampedPart => kwargs.header as StampedPart
  return {
    onSignature: ({ task }) => tell('signature', { signature: task, same: 'signature', many: ['signature'] }),
    onChainStart: (part) => tell('chain', { in_chain: count(part), same: 'chain' }),
    onGroupStart: (part) => tell('group', { in_group: count(part), same: 'group' }),
    ...(told.includes('header') ? { onChordHeaderStart: (part) => ({ in_header: count(header(part)) }) } : {}),
    onChordBody: ({ kwargs }) => tell('body', { body: (kwargs.body as StampedPart).task, same: 'body' }),
    onCallback: ({ task }) => tell('callback', { linked: task }),
    onErrback: ({ task }) => tell('errback', { linked_error: task }),
  }
}

/** Names of stamps are in no order, none are left out, and some of Celery's have no value: a list of names that it shares. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  const { stamped_headers: stamped = [], ...others } = value as { stamped_headers?: string[] }
  const names = stamped.filter((name) => name in others).sort()
  const entries = Object.entries(others).map(([name, item]) => [name, comparable(item)])
  return { ...Object.fromEntries(entries), ...(names.length > 0 ? { names } : {}) }
}

const read = (dict: unknown) => parseSignature(dict, 'signature', NO_LIMITS)

it.each(CASES.map((one, at) => [at, one] as const))('stamps are those of Celery: %i', (_, one) => {
  const sig = read(one.before)
  stampAll(sig, teller(one.told), one.append)
  expect(comparable(sig)).toEqual(comparable(read(one.after)))
})

describe('a stamped workflow', () => {
  const app = new Celery('stamps', {})
  const seen = app.task('seen', { bind: true }, ({ request }: TaskContext) => request.stamps)
  const list = app.task('list', { bind: true }, ({ request }: TaskContext, all: readonly unknown[]) => [
    ...all,
    request.stamps,
  ])

  it('has its stamps in each message, those that come later as well', async () => {
    await using worker = await testWorker(app)
    const tasks = chord(group(chain(seen.si(), seen.si()), seen.si().stamp({ own: 1 })), list.s())
    const result = await tasks.stamp({ site: 'brno' }).delay()
    const site = { site: 'brno' }
    expect(await result.get({ timeout: 20 })).toEqual([site, { ...site, own: 1 }, site])
    expect(worker.sent.tasks.map(({ headers }) => headers.stamped_headers)).toEqual(
      expect.arrayContaining([['site'], ['own', 'site']]),
    )
  })

  it('has what a visitor says of each of its parts', async () => {
    await using _ = await testWorker(app)
    let count = 0
    const ended: string[] = []
    const visitor: StampingVisitor = {
      onSignature: ({ task }, { row }) => ({ number: ++count, name: `${task} ${row}` }),
      onGroupStart: () => ({ row: 'header' }),
      onGroupEnd: ({ subtaskType }) => void ended.push(String(subtaskType)),
      onChordBody: () => undefined,
    }
    const result = await chord([seen.si(), seen.si()], list.s()).stamp(visitor).delay()
    expect(await result.get({ timeout: 20 })).toEqual([
      { row: 'header', number: 1, name: 'seen header' },
      { row: 'header', number: 2, name: 'seen header' },
      { row: 'header', number: 3, name: 'list header' },
    ])
    expect(ended).toEqual(['group'])
  })

  it('leaves its copies as they are, with their callbacks', () => {
    const sig = seen.si().link(seen.si())
    const copy = sig.clone()
    const before = JSON.stringify(copy)
    sig.stamp({ site: 'brno' }).stamp({ site: 'praha' }, { append: true })
    expect(JSON.stringify(copy)).toBe(before)
    expect(sig.toJSON().options).toMatchObject({ site: ['praha', 'brno'], stamped_headers: ['site'] })
  })

  it.each<[unknown, string]>([
    ['site', "stamp('site'): expected stamps by name, or a visitor"],
    [{ queue: 'q' }, 'stamps: queue is the name of an option'],
    [{ onSignature: () => ({ queue: 'q' }) }, 'stamps: queue is the name of an option'],
  ])('is refused where it is written: %p', (stamps, text) => {
    expect(() => seen.si().stamp(stamps as Stamps)).toThrow(text)
  })
})
