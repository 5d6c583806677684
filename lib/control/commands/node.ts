import { required } from '../arguments.js'
import { type Command, NO_REPLY, ok } from '../panel.js'
import type { ControlParts } from '../parts.js'

/** The commands about the worker as one among others: whether it is there, its clock, its events, its end. */
export function nodeCommands({
  events,
  lamport,
  log,
  neighbours,
  shutdown,
}: Pick<ControlParts, 'events' | 'lamport' | 'log' | 'neighbours' | 'shutdown'>): Record<string, Command> {
  return {
    ping: () => ok('pong'),
    clock: () => ({ clock: lamport.value }),
    hello: (args) => {
      required('hello', args, ['from_node'])
      return neighbours.hello(args)
    },
    election: (args) => {
      required('election', args, ['id', 'topic'])
      neighbours.election(args)
    },
    enable_events: () => ok(events.enable()),
    disable_events: () => ok(events.disable()),
    heartbeat: () => {
      log.debug('Heartbeat requested by remote.')
      events.heartbeat()
    },
    shutdown: ({ msg }) => {
      log.warning(typeof msg === 'string' && msg !== '' ? msg : 'Got shutdown from remote')
      shutdown()
      return NO_REPLY
    },
  }
}
