import { describe, expect, it } from '@jest/globals'
import { applySignature } from '../../lib/canvas/apply.js'
import type { CanvasMessage } from '../../lib/canvas/canvasMessage.js'
import { chordSignature, listSignature, taskSignature } from '../../lib/canvas/signature.js'
import { type Deferred, deferred } from '../../lib/listeners.js'
import { waitFor } from '../support/waitFor.js'
import { MemoryOutlet } from './memoryOutlet.js'

/** A broker that confirms a message when it is told to. */
class SlowOutlet extends MemoryOutlet {
  override readonly mostUnconfirmed: number
  readonly confirms: Deferred<void>[] = []

  constructor({ most = 10 } = {}) {
    super()
    this.mostUnconfirmed = most
  }

  override async send(message: CanvasMessage): Promise<void> {
    await super.send(message)
    const confirm = deferred<void>()
    this.confirms.push(confirm)
    await confirm.promise
  }

  confirm(count: number): void {
    for (const confirm of this.confirms.splice(0, count)) confirm.resolve()
  }

  get names(): string[] {
    return this.messages.map(({ task }) => task)
  }

  whenSent(count: number): Promise<void> {
    return waitFor(() => this.messages.length >= count, { what: `${count} messages` })
  }
}

const tasks = (...names: string[]) => names.map((name) => taskSignature(name))
const group = (...names: string[]) => listSignature('group', tasks(...names))

describe('the messages of a canvas', () => {
  it('are sent in their order before the first of them is confirmed, and are sent once all are', async () => {
    const outlet = new SlowOutlet()
    const header = listSignature('group', [
      listSignature('chain', tasks('a', 'b')),
      chordSignature(group('c', 'd'), taskSignature('e')),
      taskSignature('f'),
    ])
    let isOver = false
    const applied = applySignature(chordSignature(header, taskSignature('g')), {}, outlet).then(() => {
      isOver = true
    })
    await outlet.whenSent(4)
    expect(outlet.names).toEqual(['a', 'c', 'd', 'f'])
    outlet.confirm(3)
    await Promise.resolve()
    expect(isOver).toBe(false)
    outlet.confirm(1)
    await applied
  })

  it('wait where too many are unconfirmed', async () => {
    const outlet = new SlowOutlet({ most: 2 })
    const applied = applySignature(group('a', 'b', 'c', 'd', 'e'), {}, outlet)
    for (const sent of [2, 4]) {
      await outlet.whenSent(sent)
      await new Promise(setImmediate)
      expect(outlet.messages).toHaveLength(sent)
      outlet.confirm(2)
    }
    await outlet.whenSent(5)
    outlet.confirm(1)
    await applied
  })

  it('end with the one that could not be sent: none is sent after it, and those before it are waited for', async () => {
    const outlet = new SlowOutlet()
    const members = tasks('a', 'b', 'c', 'd')
    Object.assign(members[2]?.options ?? {}, { countdown: 'soon' })
    let isOver = false
    const applied = applySignature(listSignature('group', members), {}, outlet).finally(() => {
      isOver = true
    })
    applied.catch(() => undefined)
    await outlet.whenSent(2)
    await new Promise(setImmediate)
    expect(isOver).toBe(false)
    outlet.confirm(2)
    await expect(applied).rejects.toThrow('c.options.countdown must be a number')
    expect(outlet.names).toEqual(['a', 'b'])
  })

  it('end with the one that the broker has refused', async () => {
    const outlet = new SlowOutlet({ most: 2 })
    const applied = applySignature(group('a', 'b', 'c', 'd'), {}, outlet)
    await outlet.whenSent(2)
    outlet.confirms[0]?.reject(new Error('full'))
    outlet.confirms[1]?.resolve()
    await expect(applied).rejects.toThrow('full')
    expect(outlet.names).toEqual(['a', 'b'])
  })
})
