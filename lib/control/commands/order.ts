import { coerceError } from '../../errors.js'
import { anyText, byDefault, integer, required } from '../arguments.js'
import { command, nok, ok } from '../command.js'

/** The maximum of `worker_fleet_lanes`. */
const MOST_LANES = 4096
/** Seconds for the lanes to become empty, and then for running tasks to end. */
const USUAL_SECONDS = 60

/** Commands about order keys, which Celery doesn't have: show them, and unblock one that a failure has stopped. */
export const orderCommands = [
  command({
    name: 'fleet',
    kind: 'inspect',
    help: 'Queues with --fleet: the workers that share their order keys, who holds which lane, and who moves messages to them.',
    run: (_, { fleets }) => fleets.describe(),
  }),
  command({
    name: 'fleet_lanes',
    kind: 'control',
    help: 'Change the number of lanes of a queue of --fleet, once they are empty. They may take so many seconds to become empty, and tasks in them to end.',
    args: { queue: required(anyText), lanes: required(integer(1)), seconds: byDefault(integer(1), USUAL_SECONDS) },
    signature: '<queue> <lanes> [seconds=60]',
    run: ({ lanes, queue, seconds }, { fleets, log }) => {
      if (lanes > MOST_LANES) return nok(`a queue has ${MOST_LANES} lanes at most`)
      try {
        const what = fleets.relayout(queue, lanes, seconds)
        log.info(`fleet_lanes by remote control: ${what}`)
        return ok(what)
      } catch (thrown) {
        return nok(coerceError(thrown).message)
      }
    },
  }),
  command({
    name: 'lanes',
    kind: 'inspect',
    help: 'Order keys with messages here: how many, for how many seconds, whether blocked, and the first one.',
    run: (_, { clock, line }) =>
      [...line.lanes]
        .map(({ blocked, depth, head, key, oldest }) => ({
          key,
          depth,
          // Seconds since the oldest message here was received.
          age: oldest ? Math.round(clock.monotonic() - oldest.receivedAt) / 1000 : null,
          blocked,
          head: head?.id ?? null,
        }))
        .sort((one, other) => Number(other.blocked) - Number(one.blocked) || other.depth - one.depth),
  }),
  command({
    name: 'unblock',
    kind: 'control',
    help: 'Unblock an order key that a failure has blocked.',
    args: { key: required(anyText) },
    signature: '<key>',
    onPage: true,
    run: ({ key }, { line, log }) => {
      if (!line.gate.unblock(key)) return nok(`${key} is not blocked`)
      log.warning(`The order key ${key} was unblocked by remote control`)
      return ok(`${key} unblocked`)
    },
  }),
]
