import { beforeEach, describe, expect, it } from '@jest/globals'
import { NO_REPLY } from '../../lib/control/command.js'
import { Panel } from '../../lib/control/panel.js'
import type { ControlRequest } from '../../lib/protocol/control.js'
import { costOf, growthOf } from '../support/growth.js'
import { MemoryLog } from '../support/memoryLog.js'

const request = (method: string, rest: Partial<ControlRequest> = {}): ControlRequest => ({
  method,
  arguments: {},
  destination: null,
  pattern: null,
  matcher: null,
  ticket: null,
  replyTo: null,
  ...rest,
})

describe('the panel', () => {
  let log: MemoryLog
  let panel: Panel

  beforeEach(() => {
    log = new MemoryLog()
    panel = new Panel('w1@host', log)
  })

  it('answers null for a command that has nothing to say, and undefined for one that wants no reply', () => {
    panel.register({ nothing: () => undefined, silent: () => NO_REPLY })
    expect(panel.answer(request('nothing'))).toBeNull()
    expect(panel.answer(request('silent'))).toBeUndefined()
  })

  it("makes an error of what a command throws, and of a command that isn't there, and logs it", () => {
    panel.register({
      fails: () => {
        throw new TypeError("it's broken")
      },
    })
    expect(panel.answer(request('fails'))).toEqual({ error: 'TypeError("it\'s broken")' })
    expect(panel.answer(request('nosuch'))).toEqual({ error: "KeyError('nosuch')" })
    expect(log.of('ERROR')).toEqual([
      'pidbox command error: TypeError("it\'s broken")',
      "pidbox command error: KeyError('nosuch')",
    ])
  })

  it.each([
    [{}, true],
    [{ destination: ['w2@host', 'w1@host'] }, true],
    [{ destination: ['w2@host'] }, false],
    [{ destination: [] }, false],
    [{ pattern: 'w*@host', matcher: 'glob' }, true],
    [{ pattern: 'x*', matcher: 'glob' }, false],
    [{ pattern: 'w\\d', matcher: 'pcre' }, true],
    [{ pattern: '1@host', matcher: 'pcre' }, false],
    [{ pattern: '(', matcher: 'pcre' }, false],
    [{ pattern: '(?P<name>w)1', matcher: 'pcre' }, true],
    [{ pattern: '(?=w)', matcher: 'pcre' }, false],
    [{ pattern: '(\\w+)+!', matcher: 'pcre' }, false],
    [{ pattern: '((a{100}){100}){100}', matcher: 'pcre' }, false],
    [{ pattern: '*'.repeat(1000), matcher: 'glob' }, true],
    [{ pattern: '*'.repeat(1001), matcher: 'glob' }, false],
    [{ pattern: '[a-z][!a-z]@*', matcher: 'glob' }, true],
  ])('takes a request with %j as meant for it: %s', (addressed, expected) => {
    expect(panel.concerns(request('ping', addressed))).toBe(expected)
  })

  it('says why it ignores a request whose pattern it does not read', () => {
    panel.concerns(request('ping', { pattern: '\u001b[2J(?=w)', matcher: 'pcre' }))
    expect(log.of('WARNING')).toEqual([
      expect.stringMatching(/^A control message was ignored: its pattern '\\x1b\[2J\(\?=w\)' can't be used: .*\(\?=/),
    ])
  })

  it.each(['*'.repeat(20), '*a'.repeat(400), '*?'.repeat(300)])(
    'takes no time to speak of for the glob %s',
    (start) => {
      const long = new Panel(`w@${'a'.repeat(200)}`, log)
      const hundred = (pattern: string) => () => {
        for (let n = 0; n < 100; n++) expect(long.concerns(request('ping', { pattern, matcher: 'glob' }))).toBe(false)
      }
      expect(costOf(hundred(`${start}Z`)) / Math.max(1, costOf(hundred(`${'b'.repeat(start.length)}Z`)))).toBeLessThan(
        200,
      )
    },
  )

  it.each(['(a|a)*b', '(.*)*Z', '(x+x+)+y', 'a?'.repeat(200) + 'a'.repeat(200), '\\w{1000}'.repeat(50)])(
    'takes no time that grows with every possibility for the pattern %s',
    (pattern) => {
      const ask = (host: string) => new Panel(`w@${host}`, log).concerns(request('ping', { pattern, matcher: 'pcre' }))
      expect(growthOf(ask, (size) => 'a'.repeat(size), 16)).toBeLessThan(4)
    },
  )
})
