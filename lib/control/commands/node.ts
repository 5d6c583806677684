import { raw, required } from '../arguments.js'
import { command, NO_REPLY, ok } from '../command.js'

/** Commands about the worker as a node: whether it is there, its clock, its events, its end. */
export const nodeCommands = [
  command({
    name: 'ping',
    kind: 'inspect',
    help: 'Workers that answer.',
    run: () => ok('pong'),
  }),
  command({
    name: 'clock',
    kind: 'inspect',
    help: 'The logical clock.',
    run: (_, { lamport }) => ({ clock: lamport.value }),
  }),
  command({
    name: 'hello',
    kind: 'internal',
    help: 'What is revoked here, for a worker that starts.',
    more: { from_node: required(raw), revoked: raw, monotonic: raw },
    run: ({ from_node, monotonic, revoked }, { neighbours }) => neighbours.hello({ from_node, revoked, monotonic }),
  }),
  command({
    name: 'election',
    kind: 'control',
    help: 'Hold an election among the workers.',
    args: { id: required(raw), topic: required(raw), action: raw },
    signature: '<id> <topic> [action]',
    run: ({ action, id, topic }, { neighbours }) => {
      neighbours.election({ id, topic, action })
    },
  }),
  command({
    name: 'enable_events',
    kind: 'control',
    help: 'Start sending events about tasks.',
    run: (_, { events }) => ok(events.enable()),
  }),
  command({
    name: 'disable_events',
    kind: 'control',
    help: 'Stop sending events about tasks.',
    run: (_, { events }) => ok(events.disable()),
  }),
  command({
    name: 'heartbeat',
    kind: 'control',
    help: 'Send a heartbeat event now.',
    run: (_, { events, log }) => {
      log.debug('Heartbeat requested by remote.')
      events.heartbeat()
    },
  }),
  command({
    name: 'shutdown',
    kind: 'control',
    help: 'Stop the worker; running tasks end first.',
    more: { msg: raw },
    run: ({ msg }, { log, shutdown }) => {
      log.warning(typeof msg === 'string' && msg !== '' ? msg : 'Got shutdown from remote')
      shutdown()
      return NO_REPLY
    },
  }),
]
