import { describe, expect, it } from '@jest/globals'
import { generate } from './generator.js'
import { kindOf, orderKey } from './identity.js'
import { TASK } from './message.js'
import { type CoprEvent, handlerKwargs } from './payloads.js'
import { PRESETS } from './workload.js'

const life = generate({ ...PRESETS.life, builds: 200, kojiFraction: 0.5 })
const headers = {}

describe('orderKey and kindOf', () => {
  it('find in every message what the generator knows of it', () => {
    for (const message of life) {
      if (message.key.startsWith('pr:')) continue
      expect({ key: orderKey({ ...message, headers }), kind: kindOf(message) }).toEqual({
        key: message.key,
        kind: message.kind,
      })
    }
    const prefixes = new Set(life.map(({ key }) => key.split(':')[0]))
    expect(prefixes).toEqual(new Set(['copr', 'koji', 'tf', 'pr']))
  })

  it('find no key in a pull request event, which has no order', () => {
    const pullRequests = life.filter(({ key }) => key.startsWith('pr:'))
    expect(pullRequests).toHaveLength(200)
    for (const message of pullRequests) expect(orderKey({ ...message, headers })).toBeUndefined()
  })

  it('find the same key at hop 2, under the other name', () => {
    const builds = generate({ ...PRESETS.hot, builds: 3 })
    for (const { key, kind, kwargs } of builds) {
      if (kind === 'other') throw new Error('the hot workload has pairs only')
      const next = { task: TASK[kind], args: [], kwargs: handlerKwargs(kind, kwargs.event as CoprEvent), headers }
      expect(orderKey(next)).toBe(key)
      expect(kindOf(next)).toBe(kind)
    }
  })

  it("tell the side at hop 2 by the task, whatever the topic says: the watchdog's says end", () => {
    const event = { build_id: 9, chroot: 'fedora-43-x86_64', topic: 'org.fedoraproject.prod.copr.build.end' }
    expect(kindOf({ task: TASK.start, kwargs: { event } })).toBe('start')
  })

  it('find nothing, without a fault, where the fields are missing', () => {
    for (const task of [...Object.values(TASK), 'tasks.unknown']) {
      expect(orderKey({ task, args: [], kwargs: {}, headers })).toBeUndefined()
      expect(
        orderKey({ task, args: [], kwargs: { event: null, event_type: 'copr.build.end' }, headers }),
      ).toBeUndefined()
    }
    expect(orderKey({ task: TASK.end, args: [], kwargs: { event: { build_id: 9 } }, headers })).toBeUndefined()
  })
})
