import type { ConnectionListener } from '../broker/broker.js'
import type { Logger } from '../ports.js'
import type { Consumer } from './consumer.js'
import type { Fleets } from './fleets.js'
import type { WorkerHooks } from './hooks.js'
import type { Life } from './life.js'
import type { Remote } from './remote.js'

/** The parts of a worker that live as long as a connection does. */
export interface ConnectionParts {
  readonly nodename: string
  readonly log: Logger
  readonly remote: Remote
  readonly consumer: Consumer
  readonly fleets: Fleets
  readonly hooks: WorkerHooks
  readonly life: Life
  /** Called when the worker stops trying to reach the broker. */
  onGaveUp(): void
}

/** Runs what a worker does, in this order, when a connection to the broker is up, is lost, or can't be made. */
export function connectionListener(parts: ConnectionParts): ConnectionListener {
  const { consumer, fleets, hooks, life, log, nodename, onGaveUp, remote } = parts
  return {
    onUp: async (session) => {
      await remote.up(session)
      if (!(await consumer.up(session))) return
      await fleets.up(session)
      remote.consuming()
      hooks.ready()
      log.info(`${nodename} ready.`)
      life.consumes(session)
    },
    onDown: async () => {
      remote.down()
      consumer.down()
      fleets.down()
      life.disconnected()
    },
    gaveUp: (error) => {
      log.critical(`Unrecoverable error: ${error.message}`)
      life.failure = error
      onGaveUp()
    },
  }
}
