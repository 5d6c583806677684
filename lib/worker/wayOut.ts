import type { App } from '../app/app.js'
import { BrokerOutlet } from '../app/brokerOutlet.js'
import { AppCanvasOutlet } from '../app/canvasOutlet.js'
import type { Hooks } from '../app/hooks/hooks.js'
import type { Outlet } from '../app/outlet.js'
import type { Broker } from '../broker/broker.js'
import type { CanvasOutlet } from '../canvas/outlet.js'
import type { Backend } from '../ports.js'
import type { TaskEvents } from '../request/taskEvents.js'
import type { Settings } from '../settings/table.js'
import type { StopLimit } from '../stopLimit.js'

export interface WayOutOptions {
  readonly app: App
  readonly nodename: string
  readonly settings: Settings
  readonly broker: Broker
  readonly backend: Backend
  readonly hooks: Hooks
  readonly events: Pick<TaskEvents, 'sent'>
  readonly stopLimit: StopLimit
}

/** Builds what sends through a worker's connection: what its tasks send, and what their ends lead to. */
export function wayOut(options: WayOutOptions): { outlet: Outlet; canvas: CanvasOutlet } {
  const { app, backend, broker, events, hooks, nodename, settings, stopLimit } = options
  const outlet = bounded(
    new BrokerOutlet(broker, backend, settings, {
      isPatient: true,
      onSent: (message, queue) => events.sent(message, queue),
    }),
    stopLimit,
  )
  const canvas = new AppCanvasOutlet({
    way: {
      // The outlet of its tasks: a test may have lent another one, which sees everything.
      get outlet() {
        return app.lentFor(nodename) ?? outlet
      },
      hooks,
    },
    tasks: app.tasks,
    replyTo: app.oid,
    ignoresResults: settings.task_ignore_result,
    errorsOnHeader: settings.task_allow_error_cb_on_chord_header,
    mostSignatures: settings.worker_max_canvas_items,
    // Follow-ups are sent as Python's worker would.
    keepsGroups: false,
    isPatient: true,
  })
  return { outlet, canvas }
}

/**
 * Limits sends to the time of a stop: a task that sends while the broker is unavailable is cut short, and its own
 * message goes back.
 */
function bounded(outlet: BrokerOutlet, stopLimit: StopLimit): Outlet {
  const gaveUp = (): string => 'the message was not sent before the worker stopped'
  return {
    settings: outlet.settings,
    backend: outlet.backend,
    route: (task, options, args, kwargs) => outlet.route(task, options, args, kwargs),
    tries: (options) => outlet.tries?.(options),
    prepare: (route, tries) => {
      const preparing = outlet.prepare(route, tries)
      return preparing && stopLimit.within(preparing, gaveUp)
    },
    send: (message, route, delayMs, tries) => stopLimit.within(outlet.send(message, route, delayMs, tries), gaveUp),
    tellWorkers: async (...command) => stopLimit.within(outlet.tellWorkers?.(...command) ?? Promise.resolve(), gaveUp),
    close: () => outlet.close(),
  }
}
