import { describe, expect, it } from '@jest/globals'
import { byDefault, integer, name, optional, raw, required, texts } from '../../lib/control/arguments.js'
import { type CommandParts, command } from '../../lib/control/command.js'
import { COMMANDS } from '../../lib/control/commands/index.js'
import { OfflineApp } from '../support/offlineLine.js'
import { OfflinePanel } from './offlinePanel.js'

/** Celery 5.6's, and the ones that only we have. */
const CELERYS = {
  inspect: `active active_queues clock conf memdump memsample objgraph ping query_task registered report reserved
    revoked scheduled stats`.split(/\s+/),
  control:
    `add_consumer autoscale cancel_consumer disable_events election enable_events heartbeat pool_grow pool_restart
    pool_shrink rate_limit revoke revoke_by_stamped_headers shutdown terminate time_limit`.split(/\s+/),
}
const OURS = { inspect: ['fleet', 'lanes', 'parked', 'slots'], control: ['fleet_lanes', 'unblock'] }

const offered = COMMANDS.filter(({ kind }) => kind !== 'internal')

describe('the commands', () => {
  it.each(['inspect', 'control'] as const)("are every %s command of Celery's, and ours", (kind) => {
    const names = COMMANDS.filter((command) => command.kind === kind).map(({ name }) => name)
    expect(names).toEqual([...CELERYS[kind], ...OURS[kind]].sort())
  })

  it('are all offered to operators but hello, which only workers send each other', () => {
    expect(COMMANDS.filter((command) => !offered.includes(command)).map(({ name }) => name)).toEqual(['hello'])
  })

  it('are what the panel answers, under older names as well', () => {
    const { panel } = new OfflinePanel(new OfflineApp('spec'))
    const told = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases])
    expect([...panel.names].sort()).toEqual([...told].sort())
    expect(new Set(told).size).toBe(told.length)
    expect(told).toContain('dump_active')
  })

  it('have a list only as the last argument', () => {
    const misplaced = COMMANDS.filter(({ args }) => args.slice(0, -1).some(({ type }) => type === 'list'))
    expect(misplaced).toEqual([])
  })

  it('have a line of help each, and a signature if they take arguments', () => {
    expect(COMMANDS.filter(({ help }) => help === '' || !help.endsWith('.'))).toEqual([])
    expect(offered.filter(({ args, signature }) => args.length > 0 !== (signature !== ''))).toEqual([])
  })
})

describe('a declared command', () => {
  const parts = {} as CommandParts
  const made = command({
    name: 'made',
    kind: 'control',
    help: 'Made here.',
    args: { to: required(name), n: byDefault(integer(1), 3), most: optional(integer(0)), ids: texts },
    more: { also: required(raw) },
    signature: '<to> [n [most [id1]]]',
    run: (args) => (args.to === 'nowhere' ? 'refused' : { ...args }),
  })

  it('is offered with the arguments that the command line takes', () => {
    expect(made.args).toEqual([
      { name: 'to', type: 'text' },
      { name: 'n', type: 'int' },
      { name: 'most', type: 'int' },
      { name: 'ids', type: 'list' },
    ])
    expect(made).toMatchObject({ aliases: [], onPage: false })
  })

  it('gets its arguments read, with their defaults, and no others', () => {
    expect(made.answer({ to: 'here', also: [1], ids: ['a', 2], other: true }, parts)).toEqual({
      to: 'here',
      n: 3,
      most: null,
      ids: ['a'],
      also: [1],
    })
    expect(made.answer({ to: 'here', also: null, n: 2n, most: 0 }, parts)).toMatchObject({ n: 2, most: 0, also: null })
  })

  it('is not run without what it needs', () => {
    expect(() => made.answer({ n: 'x' }, parts)).toThrow(
      new TypeError("made() missing 2 required positional arguments: 'to' and 'also'"),
    )
  })

  it('refuses an argument of the wrong type when it looks at it, not before', () => {
    expect(made.answer({ to: 'nowhere', also: 1, n: 'x' }, parts)).toBe('refused')
    expect(() => made.answer({ to: 'here', also: 1, n: 'x' }, parts)).toThrow(
      new TypeError("'str' object cannot be interpreted as an integer"),
    )
    expect(() => made.answer({ to: '', also: 1 }, parts)).toThrow('to must be a name')
  })
})
