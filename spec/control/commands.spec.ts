import { describe, expect, it } from '@jest/globals'
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
const OURS = { inspect: ['lanes', 'parked', 'slots'], control: ['unblock'] }

describe('the table of commands', () => {
  it.each(['inspect', 'control'] as const)("has every %s command of Celery's, and ours", (kind) => {
    const names = COMMANDS.filter((command) => command.kind === kind).map(({ name }) => name)
    expect(names).toEqual([...CELERYS[kind], ...OURS[kind]].sort())
  })

  it('is what the panel answers, but for hello, which only workers send each other', () => {
    const { panel } = new OfflinePanel(new OfflineApp('spec'))
    const told = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases])
    expect([...panel.names].sort()).toEqual([...told, 'hello'].sort())
  })

  it('has a list only as the last argument of a command', () => {
    const misplaced = COMMANDS.filter(({ args }) => args.slice(0, -1).some(({ type }) => type === 'list'))
    expect(misplaced).toEqual([])
  })

  it('has a line of help for each, and a signature for each that takes arguments, but those without one in Celery', () => {
    expect(COMMANDS.filter(({ help }) => help === '' || !help.endsWith('.'))).toEqual([])
    expect(COMMANDS.filter(({ args, signature }) => args.length > 0 !== (signature !== ''))).toEqual([])
  })
})
