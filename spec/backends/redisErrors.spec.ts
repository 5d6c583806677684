import { describe, expect, it } from '@jest/globals'
import { type Remedy, remedyOf } from '../../lib/backends/redisErrors.js'

/** An error as ioredis throws it for an answer of the server. */
function replied(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' })
}

describe('what is done about an error of Redis', () => {
  it.each<[message: string, remedy: Remedy]>([
    ["READONLY You can't write against a read only replica.", 'reconnect'],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'reconnect'],
    ['LOADING Redis is loading the dataset in memory', 'reconnect'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'reconnect'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'wait'],
    ['MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.', 'wait'],
    ["NOPERM this user has no permissions to run the 'setex' command", 'never'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'never'],
    ['MOVED 3999 127.0.0.1:6381', 'never'],
    ['ERR unknown command', 'never'],
  ])('%s: %s', (message, remedy) => {
    expect(remedyOf(replied(message))).toBe(remedy)
  })

  it('goes by the code in an error of a script, wherever it stands', () => {
    const message = "ERR Error running script: READONLY You can't write against a read only replica."
    expect(remedyOf(replied(message))).toBe('reconnect')
  })

  it('connects again after words without a code, as of a proxy that has lost its server', () => {
    expect(remedyOf(replied('upstream failure'))).toBe('reconnect')
  })

  it('waits where there was no answer', () => {
    expect(remedyOf(new Error('NOPERM, but not by the server'))).toBe('wait')
  })
})
