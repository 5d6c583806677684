import { describe, expect, it } from '@jest/globals'
import { commandNamed } from '../../lib/cli/askWorkers.js'
import { readArguments } from '../../lib/cli/commandArguments.js'
import { UsageError } from '../../lib/cli/usage.js'

describe('the words behind a remote control command', () => {
  const inspect = (name: string, ...words: string[]) => readArguments(commandNamed('inspect', name), words)
  const control = (name: string, ...words: string[]) => readArguments(commandNamed('control', name), words)

  it('have the types and names that workers know', () => {
    expect(control('rate_limit', 'tasks.add', '10/m')).toEqual({ task_name: 'tasks.add', rate_limit: '10/m' })
    expect(control('time_limit', 'tasks.add', '1.5')).toEqual({ task_name: 'tasks.add', soft: 1.5 })
    expect(control('pool_grow', '2')).toEqual({ n: 2 })
    expect(control('terminate', 'KILL', 'a', 'b')).toEqual({ signal: 'KILL', task_id: ['a', 'b'] })
    expect(control('autoscale')).toEqual({})
  })

  it('are sent as a list where one is wanted, even if there are none', () => {
    expect(inspect('query_task', 'a', 'b')).toEqual({ ids: ['a', 'b'] })
    expect(inspect('registered')).toEqual({ taskinfoitems: [] })
  })

  it('are let pass where none are wanted', () => {
    expect(inspect('ping', 'extra')).toEqual({})
  })

  it.each([
    [() => control('pool_grow', '1', '2'), "Command 'pool_grow' takes arguments: [N=1]"],
    [() => control('pool_grow', 'x'), "Invalid value for 'n': 'x' is not an integer."],
    [() => control('time_limit', 't', 'x'), "Invalid value for 'soft': 'x' is not a number."],
    [() => inspect('shutdown'), "Invalid value for 'action': 'shutdown' is not one of 'active', "],
  ])('are refused: %#', (read, text) => {
    expect(read).toThrow(UsageError)
    expect(read).toThrow(text)
  })

  it('may name a command by its older name', () => {
    expect(commandNamed('inspect', 'dump_tasks').name).toBe('registered')
  })
})
