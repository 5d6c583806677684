import { parkedInfos, type Standing, scheduledInfo, standingOf, taskInfo } from '../../request/info.js'
import type { Request } from '../../request/request.js'
import { texts, truth } from '../arguments.js'
import { type CommandParts, command } from '../command.js'

function that({ line }: CommandParts, standing: Standing): Request[] {
  return [...line.state.requests].filter((request) => standingOf(request) === standing)
}

/** Commands that show the worker's requests. */
export const requestCommands = [
  command({
    name: 'active',
    kind: 'inspect',
    help: 'Running tasks.',
    aliases: ['dump_active'],
    more: { safe: truth },
    run: ({ safe }, parts) => that(parts, 'active').map((request) => taskInfo(request, parts, safe)),
  }),
  command({
    name: 'reserved',
    kind: 'inspect',
    help: 'Received tasks that wait for a slot, their order key, a breaker or their rate limit.',
    aliases: ['dump_reserved'],
    run: (_, parts) => that(parts, 'reserved').map((request) => taskInfo(request, parts)),
  }),
  command({
    name: 'scheduled',
    kind: 'inspect',
    help: 'Received tasks that wait for their ETA or a retry.',
    aliases: ['dump_schedule'],
    run: (_, parts) => that(parts, 'scheduled').map((request) => scheduledInfo(request, parts)),
  }),
  command({
    name: 'parked',
    kind: 'inspect',
    help: 'Received tasks that wait without using a slot, and what for.',
    run: (_, parts) => parkedInfos(parts.line.state.requests, parts),
  }),
  command({
    name: 'query_task',
    kind: 'inspect',
    help: 'The tasks with these ids that the worker holds, and their state.',
    args: { ids: texts },
    signature: '[id1 [id2 [... [idN]]]]',
    run: ({ ids }, parts) => {
      const wanted = new Set(ids)
      const found = [...parts.line.state.requests].filter(({ id }) => wanted.has(id))
      return Object.fromEntries(found.map((request) => [request.id, [standingOf(request), taskInfo(request, parts)]]))
    },
  }),
  command({
    name: 'revoked',
    kind: 'inspect',
    help: 'Ids of revoked tasks.',
    aliases: ['dump_revoked'],
    run: (_, { line }) => line.revoked.ids,
  }),
]
