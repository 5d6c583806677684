import { describe, expect, it } from '@jest/globals'
import { Releasers } from './releasers.js'

describe('Releasers', () => {
  it('undo the last first, once, however often they are asked', async () => {
    const undone: string[] = []
    const releasers = new Releasers()
    releasers.add(async () => void undone.push('directory'))
    releasers.add(async () => void undone.push('queue'))
    await Promise.all([releasers.release(), releasers.release()])
    await releasers.release()
    expect(undone).toEqual(['queue', 'directory'])
  })

  it('undo one of them early, and not again', async () => {
    const undone: string[] = []
    const releasers = new Releasers()
    const deleteQueue = releasers.add(async () => void undone.push('queue'))
    await deleteQueue()
    await deleteQueue()
    await releasers.release()
    expect(undone).toEqual(['queue'])
  })

  it('go on after a failure, and tell it', async () => {
    const undone: string[] = []
    const releasers = new Releasers()
    releasers.add(async () => void undone.push('directory'))
    releasers.add(async () => {
      throw new Error('no broker')
    })
    expect(await releasers.release()).toEqual([new Error('no broker')])
    expect(undone).toEqual(['directory'])
  })
})
