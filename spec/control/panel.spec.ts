import { beforeEach, describe, expect, it } from '@jest/globals'
import { NO_REPLY, Panel } from '../../lib/control/panel.js'
import type { ControlRequest } from '../../lib/protocol/control.js'
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

  it('knows a command under its older names', () => {
    panel.register({ active: () => 'here' })
    expect(panel.answer(request('dump_active'))).toBe('here')
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
  ])('takes a request with %j as meant for it: %s', (addressed, expected) => {
    expect(panel.concerns(request('ping', addressed))).toBe(expected)
  })
})
