import { required } from '../arguments.js'
import { type Command, nok, ok } from '../panel.js'
import type { ControlParts } from '../parts.js'

/** Ours: the order keys in hand, and the way to let one go on that a failure has stopped. */
export function orderCommands({
  clock,
  line,
  log,
}: Pick<ControlParts, 'clock' | 'line' | 'log'>): Record<string, Command> {
  return {
    lanes: () =>
      [...line.lanes]
        .map(({ blocked, depth, head, key, oldest }) => ({
          key,
          depth,
          // Seconds since the message that has been here longest came in.
          age: oldest ? Math.round(clock.monotonic() - oldest.receivedAt) / 1000 : null,
          blocked,
          head: head?.id ?? null,
        }))
        .sort((one, other) => Number(other.blocked) - Number(one.blocked) || other.depth - one.depth),
    unblock: (args) => {
      const key = String(required('unblock', args, ['key']).key)
      if (!line.gate.unblock(key)) return nok(`${key} is not blocked`)
      log.warning(`The order of ${key} goes on: it was unblocked by remote control`)
      return ok(`${key} unblocked`)
    },
  }
}
