import { parkedInfos, requestInfo, scheduledInfo, standingOf } from '../../request/info.js'
import type { Request } from '../../request/request.js'
import { given, texts, truth } from '../arguments.js'
import type { Command } from '../panel.js'
import type { ControlParts } from '../parts.js'

/** The commands that show what the worker has in hand. */
export function requestCommands({
  clock,
  line,
  nodename,
}: Pick<ControlParts, 'clock' | 'line' | 'nodename'>): Record<string, Command> {
  const options = { clock, nodename }
  const that = (standing: ReturnType<typeof standingOf>): Request[] =>
    [...line.state.requests].filter((request) => standingOf(request) === standing)
  return {
    active: ({ safe }) => that('active').map((request) => requestInfo(request, options, truth(safe))),
    reserved: () => that('reserved').map((request) => requestInfo(request, options)),
    scheduled: () => that('scheduled').map((request) => scheduledInfo(request, options)),
    parked: () => parkedInfos(line.state.requests, options),
    query_task: ({ ids }) => {
      const wanted = new Set(given(ids) ? texts(ids) : [])
      const found = [...line.state.requests].filter(({ id }) => wanted.has(id))
      return Object.fromEntries(
        found.map((request) => [request.id, [standingOf(request), requestInfo(request, options)]]),
      )
    },
    revoked: () => line.revoked.ids,
  }
}
