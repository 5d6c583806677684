import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { applySignature } from '../../lib/canvas/apply.js'
import type { CanvasMessage } from '../../lib/canvas/canvasMessage.js'
import { NO_LIMITS, parseSignature, parseSignatures } from '../../lib/canvas/parse.js'
import { pipe } from '../../lib/canvas/pipe.js'
import type { Signature } from '../../lib/canvas/signature.js'
import { MemoryOutlet, type Sent } from './memoryOutlet.js'

interface SentCase {
  readonly sig: unknown
  readonly args: unknown[]
  readonly options: Record<string, unknown>
  readonly log: unknown[]
}

interface PipedCase {
  readonly pair: readonly [unknown, unknown]
  readonly both: unknown
}

/** What Celery 5.6.3 did with random canvases: `celery56.py` has written it. */
const CASES = readFileSync(fileURLToPath(new URL('celery56.jsonl', import.meta.url)), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as SentCase | PipedCase)
const SENT = CASES.filter((one) => 'sig' in one)
const PIPED = CASES.filter((one) => 'pair' in one)

const isId = (value: string): boolean => /^([0-9a-f]{8}-[0-9a-f-]{27}|id\d+)$/.test(value)

/** Ids by their first mention, keys in one order, and nothing of what differs without any meaning. */
function comparable(value: unknown): unknown {
  const ids = new Map<string, string>()
  const walk = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(walk)
    if (typeof one === 'string' && isId(one)) {
      if (!ids.has(one)) ids.set(one, `#${ids.size + 1}`)
      return ids.get(one)
    }
    if (typeof one !== 'object' || one === null) return one
    const entries = Object.entries(meant(one as Record<string, unknown>)).sort(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(entries.map(([key, item]) => [key, walk(item)]))
  }
  return walk(value)
}

function meant(dict: Record<string, unknown>): Record<string, unknown> {
  if (!('subtask_type' in dict)) return dict
  const left = Object.entries(dict.options as object).filter(([name, value]) => value !== null && name !== 'reply_to')
  const options = Object.fromEntries(left)
  // A chain's id is that of its last step here, and is found there. Celery keeps some groups from the root and parent of their canvas.
  if (dict.subtask_type === 'chain') delete options.task_id
  if (dict.subtask_type === 'group') {
    delete options.root_id
    delete options.parent_id
  }
  // An option of that name does nothing.
  delete options.immutable
  return { ...dict, options }
}

function wire({ id, task, args, kwargs, rootId, parentId, canvas }: CanvasMessage): unknown {
  const { embed, groupId, groupIndex } = canvas
  const fields = { task, id, args, kwargs, embed, group: groupId, group_index: groupIndex }
  return { ...fields, root: rootId ?? id, parent: parentId }
}

/** The members of a header by their ids: what came before them Celery tells of a copy that is never sent. */
function ids(tuple: unknown): unknown {
  const [[id], children] = tuple as [[string], unknown[] | null]
  return [id, children?.map(ids) ?? null]
}

const read = (dict: unknown): Signature => parseSignature(dict, 'sig', NO_LIMITS)

const logged = (log: readonly (Sent | unknown)[]): unknown =>
  log.map((entry) => {
    const [what, value] = entry as Sent
    if (what === 'chord') return [what, ids(value)]
    return what === 'send' && 'canvas' in (value as object) ? [what, wire(value as CanvasMessage)] : entry
  })

describe('what is sent for a canvas', () => {
  it('has cases to look at', () => {
    expect(SENT.length).toBeGreaterThan(50)
    expect(PIPED.length).toBeGreaterThan(30)
  })

  it.each(SENT.map((one, at) => [at, (one.sig as { task: string }).task, one] as const))(
    'is what Celery sends: %i, %s',
    async (_, __, { sig, args, options, log }) => {
      const outlet = new MemoryOutlet()
      const chain = options.chain ? { chain: parseSignatures(options.chain, 'chain', NO_LIMITS) } : {}
      await applySignature(read(sig), { args, options: { ...options, ...chain } }, outlet)
      expect(comparable(logged(outlet.log))).toEqual(comparable(logged(log)))
    },
  )
})

describe('two canvases, one after the other', () => {
  it.each(PIPED.map((one, at) => [at, one] as const))(
    'are put together as by Celery: %i',
    async (_, { pair, both }) => {
      const [first, next] = pair
      // In the order of their tasks: Celery leaves a chain within a chain, and takes it apart when it is sent.
      const outlets = [pipe(read(first), read(next)), read(both)].map(async (sig) => {
        const outlet = new MemoryOutlet()
        await applySignature(sig, {}, outlet)
        return comparable(logged(outlet.log))
      })
      const [ours, celerys] = await Promise.all(outlets)
      expect(ours).toEqual(celerys)
    },
  )
})
