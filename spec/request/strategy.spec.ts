import { beforeEach, describe, expect, it } from '@jest/globals'
import { Gated, OfflineApp, OfflineLine } from '../support/offlineLine.js'

describe('a message that is received', () => {
  let gated: Gated
  let offline: OfflineLine

  beforeEach(() => {
    const app = new OfflineApp('spec')
    gated = new Gated()
    app.task('plain', gated.run)
    offline = new OfflineLine(app)
  })

  it('runs whatever the headers are that no run needs, which a line of DEBUG tells', () => {
    offline.deliver('plain', {
      id: 'x',
      args: ['a'],
      headers: { shadow: 5, root_id: ['r'], argsrepr: {}, group: true },
    })
    expect(gated.started).toEqual(['a'])
    expect(offline.log.of('DEBUG')).toContain(
      'Task plain[x] has headers of an unexpected type, which count as absent: shadow, root_id, group, argsrepr',
    )
    expect(offline.log.of('WARNING')).toEqual([])
  })

  it('is called by no more of its id than an honest one has, in every line', async () => {
    const id = 'i'.repeat(1_000_000)
    offline.deliver('plain', { id, args: ['a'] })
    gated.fail('a', new RangeError('boom'))
    await offline.turn()
    expect(offline.log.of('INFO')).toEqual([
      expect.stringMatching(/^Task plain\[i+\.\.\.\(999745 characters\)\.\.\.i+\] received$/),
    ])
    expect(offline.log.of('ERROR')).toEqual([expect.stringMatching(/\] raised unexpected: ValueError\('boom'\)$/)])
    for (const { message } of offline.log.lines) expect(message.length).toBeLessThan(400)
  })

  it('is described in further lines of the one that refuses it', () => {
    offline.deliver('plain', { id: 'x', headers: { retries: 'three\n[forged' } })
    const [line] = offline.log.lines
    expect(line?.message).toBe('Received invalid task message: the header `retries` must be a whole number, 0 or more')
    expect(line?.facts.details).toMatch(/^\nThe message has been ignored and discarded\.\n\nPlease ensure/)
    expect(line?.facts.details).not.toContain('\n[forged')
  })
})
