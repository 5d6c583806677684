import { describe, expect, it } from '@jest/globals'
import { applySignature } from '../../lib/canvas/apply.js'
import { link, linkError } from '../../lib/canvas/links.js'
import { NO_LIMITS, parseSignature, parseSignatures } from '../../lib/canvas/parse.js'
import { listSignature, type Signature, taskSignature } from '../../lib/canvas/signature.js'
import { MemoryOutlet } from './memoryOutlet.js'

const task = (name: string): Signature => taskSignature(name)
const chain = (...steps: Signature[]): Signature => listSignature('chain', steps)
const group = (...members: Signature[]): Signature => listSignature('group', members)
const linked = (sig: Signature, ...names: string[]): Signature => {
  link(sig, names.map(task))
  return sig
}
const linkedError = (sig: Signature, name: string): Signature => {
  linkError(sig, [task(name)], { errorsOnHeader: false })
  return sig
}
const names = (sigs: unknown): string[] => ((sigs ?? []) as Signature[]).map(({ task }) => task)

/** What is sent for a canvas, and after its first task for the step that follows: callbacks, and error callbacks. */
async function told(sig: Signature): Promise<unknown[]> {
  const outlet = new MemoryOutlet()
  await applySignature(sig, {}, outlet)
  const next = outlet.messages[0]?.canvas.embed.chain?.at(-1)
  if (next) await applySignature(parseSignature(next, 'next', NO_LIMITS), { args: [1] }, outlet)
  return outlet.messages.map(({ canvas: { embed }, task }) => [task, names(embed.callbacks), names(embed.errbacks)])
}

/** As Celery 5.6.3 sends them. */
describe('the callbacks of a group that ends a chain', () => {
  it.each<[string, () => Signature, unknown]>([
    [
      'one callback',
      () => linked(chain(task('a'), group(task('b'), task('c'))), 'x'),
      [
        ['a', [], []],
        ['b', ['x'], []],
        ['c', ['x'], []],
      ],
    ],
    [
      'two callbacks',
      () => linked(chain(task('a'), group(task('b'), task('c'))), 'x', 'y'),
      [
        ['a', [], []],
        ['b', ['x', 'y'], []],
        ['c', ['x', 'y'], []],
      ],
    ],
    [
      'a member with a callback of its own, which gives way',
      () => linked(chain(task('a'), group(linked(task('b'), 'z'), task('c'))), 'x'),
      [
        ['a', [], []],
        ['b', ['x'], []],
        ['c', ['x'], []],
      ],
    ],
    [
      'a group alone',
      () => linked(chain(group(task('b'), task('c'))), 'x'),
      [
        ['b', ['x'], []],
        ['c', ['x'], []],
      ],
    ],
    [
      'an error callback of the chain',
      () => linkedError(chain(task('a'), group(task('b'), task('c'))), 'x'),
      [
        ['a', [], ['x']],
        ['b', [], ['x']],
        ['c', [], ['x']],
      ],
    ],
    [
      'both as options of the group',
      () => {
        const both = group(task('b'), task('c'))
        Object.assign(both.options, { link: [task('x')], link_error: [task('y')] })
        return both
      },
      [
        ['b', ['x'], ['y']],
        ['c', ['x'], ['y']],
      ],
    ],
  ])('go to each of its members: %s', async (_, sig, expected) => {
    expect(await told(sig())).toEqual(expected)
  })

  it('follow the last step of a member that is a chain', async () => {
    const outlet = new MemoryOutlet()
    await applySignature(linked(chain(group(chain(task('b'), task('d')), task('c'))), 'x'), {}, outlet)
    const [first] = outlet.messages
    const [step, ...others] = parseSignatures(first?.canvas.embed.chain, 'chain', NO_LIMITS)
    expect([names(first?.canvas.embed.callbacks), step?.task, names(step?.options.link), others]).toEqual([
      [],
      'd',
      ['x'],
      [],
    ])
  })
})
