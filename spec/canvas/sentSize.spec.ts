import { describe, expect, it } from '@jest/globals'
import { applySignature } from '../../lib/canvas/apply.js'
import { checkSentSize } from '../../lib/canvas/sentSize.js'
import { chordSignature, listSignature, type Signature, taskSignature } from '../../lib/canvas/signature.js'
import { Celery } from '../../lib/index.js'
import { testWorker } from '../../lib/testing/testWorker.js'
import { MemoryOutlet } from './memoryOutlet.js'

class LimitedOutlet extends MemoryOutlet {
  constructor(override readonly mostSignatures: number) {
    super()
  }
}

const group = (size: number): Signature =>
  listSignature(
    'group',
    Array.from({ length: size }, () => taskSignature('member')),
  )

/** Each group is the header of a chord, whose body is the chord of the groups after it. */
const groups = (count: number): Signature[] => Array.from({ length: count }, () => group(2))
const chain = (...steps: Signature[]): Signature => listSignature('chain', [taskSignature('first'), ...steps])

async function sent(sig: Signature, most = 100_000): Promise<MemoryOutlet> {
  const outlet = new LimitedOutlet(most)
  await applySignature(sig, {}, outlet)
  return outlet
}

describe('the signatures that a message carries', () => {
  it.each([12, 60])('may not be more than the limit where parts occur many times: %i groups', async (count) => {
    const outlet = new MemoryOutlet()
    await expect(applySignature(chain(...groups(count)), {}, outlet)).rejects.toThrow(
      'what follows first would be sent as more signatures than the 100000 of worker_max_canvas_items',
    )
    expect(outlet.messages).toEqual([])
  })

  it.each([1, 2, 3, 4, 5])('are counted as they travel: %i groups', async (count) => {
    const steps = () => chain(...groups(count), taskSignature('last'))
    const text = JSON.stringify((await sent(steps())).messages[0]?.canvas.embed)
    const bodies = text.split('"chord":{').length - 1
    const size = Math.max(text.split('"immutable":').length - 1 - bodies, bodies)
    expect((await sent(steps(), size)).messages.map(({ task }) => task)).toEqual(['first'])
    await expect(sent(steps(), size - 1)).rejects.toThrow(`the ${size - 1} of worker_max_canvas_items`)
  })

  it('may be as many as those who read the message allow: the body is not counted at each member', async () => {
    const sized = (size: number) => sent(chain(group(size), taskSignature('body')), 100)
    expect((await sized(97)).messages).toHaveLength(1)
    await expect(sized(98)).rejects.toThrow('worker_max_canvas_items')
  })

  it('are counted to the end in a canvas that contains itself', () => {
    const own = taskSignature('own')
    own.options.chord = own
    expect(() => checkSentSize('own', own.options, 100)).toThrow('worker_max_canvas_items')
    const chord = chordSignature(listSignature('group', []), null)
    chord.kwargs.body = chord
    expect(() => checkSentSize('own', { link: chord }, 100)).toThrow('worker_max_canvas_items')
  })

  it('are counted before each step of a chain gets the error callbacks of the chain', async () => {
    let reads = 0
    const task = { enumerable: true, get: () => ++reads && 'errback' }
    const errbacks = Array.from({ length: 20 }, (_, at) =>
      Object.defineProperty(taskSignature('errback', [at]), 'task', task),
    )
    const sig = chain(...Array.from({ length: 20 }, () => taskSignature('step')))
    sig.options.link_error = errbacks
    await expect(sent(sig, 399)).rejects.toThrow('the 399 of worker_max_canvas_items')
    expect(reads).toBe(0)
  })

  it('are known to be too many of long rows of groups, before these are put together', async () => {
    let reads = 0
    const steps = groups(1000)
    for (const step of steps) {
      const [member] = step.kwargs.tasks as Signature[]
      Object.defineProperty(member, 'task', { enumerable: true, get: () => ++reads && 'member' })
    }
    await expect(sent(chain(...steps))).rejects.toThrow('the 100000 of worker_max_canvas_items')
    expect(reads).toBe(0)
    const ones = Array.from({ length: 100 }, () => group(1))
    expect((await sent(chain(...ones))).messages).toHaveLength(1)
  })

  it('count in a message alone, not in all messages of a group', async () => {
    const linked = Array.from({ length: 60 }, () => taskSignature('member', [], {}, { link: [taskSignature('after')] }))
    expect((await sent(listSignature('group', linked), 50)).messages).toHaveLength(60)
  })

  it('fail the task whose callback they are', async () => {
    const app = new Celery('sized', { worker_max_canvas_items: 50 })
    app.task('member', () => 1)
    app.task('first', () => 1)
    const here = await testWorker(app)
    const callback = listSignature('chain', [taskSignature('first'), ...groups(5)])
    const result = await app.signature({ ...taskSignature('first', [], {}, { link: [callback] }) }).applyAsync([])
    await expect(result.get({ timeout: 10 })).rejects.toThrow('the 50 of worker_max_canvas_items')
    expect(here.sent.of('member')).toEqual([])
    await here.stop()
  })
})
