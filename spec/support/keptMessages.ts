import type { App } from '../../lib/app/app.js'
import type { Outlet, Route, SendOptions } from '../../lib/app/outlet.js'
import { routeTask } from '../../lib/app/router.js'
import { createDisabledBackend } from '../../lib/backends/disabled.js'
import type { Backend } from '../../lib/ports.js'
import type { OutgoingMessage } from '../../lib/protocol/amqp.js'
import type { Kwargs } from '../../lib/protocol/message.js'
import { loadSettings } from '../../lib/settings/load.js'

/** Keeps the messages of apps as they would go out, and sends none. */
export class KeptMessages {
  readonly messages: OutgoingMessage[] = []
  private readonly takeBack: Array<() => void> = []

  constructor(private readonly backend: Backend = createDisabledBackend()) {}

  keep(app: App): void {
    const { settings, faults } = loadSettings({ config: app.conf, env: {}, flags: {} })
    if (faults.length > 0) throw new Error(faults.join('\n'))
    const outlet: Outlet = {
      backend: this.backend,
      route: (task: string, options: SendOptions, args?: readonly unknown[], kwargs?: Kwargs): Route =>
        routeTask(task, options, settings, args, kwargs),
      prepare: async () => undefined,
      send: async (message) => void this.messages.push(message),
      close: async () => undefined,
    }
    this.takeBack.push(app.lend(outlet))
  }

  stop(): void {
    for (const takeBack of this.takeBack) takeBack()
  }
}
