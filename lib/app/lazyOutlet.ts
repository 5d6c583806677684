import { LazyBackend } from '../backends/lazy.js'
import type { PublishTries } from '../ports.js'
import type { OutgoingMessage } from '../protocol/amqp.js'
import type { Kwargs } from '../protocol/message.js'
import type { Settings } from '../settings/table.js'
import type { Outlet, Route, SendOptions } from './outlet.js'
import { routeTask } from './router.js'

/**
 * An outlet whose code is loaded by the first message or question, so that programs that only define tasks don't load
 * it.
 */
export class LazyOutlet implements Outlet {
  readonly backend = new LazyBackend('client', async () => (await this.opened()).backend)
  private opening: Promise<Outlet> | null = null

  constructor(
    readonly settings: Settings,
    private readonly open: () => Promise<Outlet>,
  ) {}

  route(task: string, options: SendOptions, args?: readonly unknown[], kwargs?: Kwargs): Route {
    return routeTask(task, options, this.settings, args, kwargs)
  }

  tries(options: SendOptions): PublishTries {
    let tries: Promise<PublishTries | undefined> | undefined
    const load = async (): Promise<PublishTries | undefined> =>
      (await import('../broker/publishTries.js')).triesOf(options, this.settings, true)
    return {
      next: async (error, stopped) => {
        tries ??= load()
        await (await tries)?.next(error, stopped)
      },
    }
  }

  async prepare(route: Route, tries?: PublishTries): Promise<void> {
    await (await this.opened()).prepare(route, tries)
  }

  async send(message: OutgoingMessage, route: Route, delayMs: number, tries?: PublishTries): Promise<void> {
    await (await this.opened()).send(message, route, delayMs, tries)
  }

  async tellWorkers(method: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    await (await this.opened()).tellWorkers?.(method, args)
  }

  async loaded(): Promise<void> {
    await this.backend.loaded()
  }

  /** An outlet that was never opened, or could not be opened, needs no closing. */
  async close(): Promise<void> {
    await (await this.opening?.catch(() => null))?.close()
  }

  private opened(): Promise<Outlet> {
    this.opening ??= this.open()
    return this.opening
  }
}
