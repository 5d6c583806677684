import { describe, expect, it, jest } from '@jest/globals'
import { type Replaced, replacementOf } from '../../lib/app/replacement.js'
import { pipe, pipeAll } from '../../lib/canvas/pipe.js'
import { chordSignature, listSignature, type Signature, taskSignature } from '../../lib/canvas/signature.js'
import { Celery, chain } from '../../lib/index.js'

const STEPS = 300

const task = (at: number): Signature => taskSignature(`task${at}`)
const group = (at: number): Signature => listSignature('group', [task(at), task(at)])
const rowOf = (step: (at: number) => Signature): Signature[] => Array.from({ length: STEPS }, (_, at) => step(at))

/** How many members of lists are gone through by `map`, as each copy of a canvas does. */
function mapped(work: () => unknown): number {
  const map = jest.spyOn(Array.prototype, 'map')
  try {
    work()
    return map.mock.contexts.reduce<number>((sum, list) => sum + (list as unknown[]).length, 0)
  } finally {
    map.mockRestore()
  }
}

describe('many canvases, one after the other', () => {
  const replaced: Replaced = {
    ...{ id: 'id', rootId: 'root', replyTo: null, group: null, groupIndex: null },
    ...{ callbacks: [], errbacks: [], chain: [], chord: null, replacedTaskNesting: 0 },
  }

  it.each([
    ['tasks', task],
    ['groups', group],
    ['chords', (at: number) => chordSignature(listSignature('group', [task(at)]), task(at))],
    ['tasks and groups', (at: number) => (at % 2 ? task(at) : group(at))],
  ] as const)('are copied once, and not again for each: %s', (_, step) => {
    const steps = rowOf(step)
    const most = STEPS * 10
    expect(mapped(() => pipeAll(task(0), steps))).toBeLessThan(most)
    expect(mapped(() => replacementOf(task(0), { ...replaced, chain: steps.map((sig) => ({ ...sig })) }))).toBeLessThan(
      most,
    )
  })

  it('also where they are written as a list', () => {
    const app = new Celery('pipe', {})
    const steps = rowOf(group).map((sig) => app.signature({ ...sig }))
    expect(mapped(() => chain(steps))).toBeLessThan(STEPS * 10)
  })

  it('become what they become one by one', () => {
    const steps = [task(1), group(2), group(3), task(4), chordSignature(listSignature('group', [task(5)]), task(6))]
    const texts = JSON.stringify(steps)
    for (const first of [task(0), group(0), listSignature('chain', [task(0), group(0)], { link: task(7) })]) {
      const text = JSON.stringify(first)
      expect(pipeAll(first, steps)).toEqual(steps.reduce((before, step) => pipe(before, step), first))
      expect([JSON.stringify(first), JSON.stringify(steps)]).toEqual([text, texts])
    }
  })
})
