import { coerceError } from './errors.js'
import type { Clock } from './ports.js'

/** The reason why a worker that stops isn't ready. */
export const STOPPING = 'it is stopping'

/**
 * A long-lived part of the worker. Both calls are idempotent, and `stop` also tolerates a component that never started.
 */
export interface Component {
  /** The name in log lines. */
  readonly name: string
  /** Resolves when the component has started. @throws Error when it can not start */
  start(): Promise<void>
  /** Resolves when the component has stopped. */
  stop(): Promise<void>
  /** Milliseconds that stopping may take beyond the usual limit of a component; none unless given. */
  readonly extraStopMs?: number
}

/**
 * Components that start in the order of the list and stop in reverse, itself a component.
 * If one fails to start, those before it are stopped again and the failure is passed on. A component that fails to stop
 * doesn't keep the others from stopping; the failures are thrown together at the end.
 */
export class Blueprint implements Component {
  private started: Component[] = []
  private starting: Promise<void> | null = null
  private stopping: Promise<void> | null = null

  /** @param limit how long to wait for one component to stop; forever without it */
  constructor(
    readonly name: string,
    private readonly components: readonly Component[],
    private readonly limit?: { readonly clock: Clock; readonly ms: number },
  ) {}

  /** @throws whatever the first failing component throws */
  start(): Promise<void> {
    this.starting ??= this.startAll()
    return this.starting
  }

  /** @throws AggregateError if components fail to stop, or don't in time */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll()
    return this.stopping
  }

  private async startAll(): Promise<void> {
    for (const component of this.components) {
      if (this.stopping) return
      this.started.push(component)
      try {
        await component.start()
      } catch (thrown) {
        // What fails because it is being stopped has not failed.
        if (this.stopping) return
        await this.stop().catch(() => undefined)
        throw thrown
      }
    }
  }

  private async stopAll(): Promise<void> {
    const failures: Error[] = []
    for (const component of this.started.splice(0).reverse()) {
      await this.end(component).catch((thrown) => failures.push(coerceError(thrown)))
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${this.name}: ${failures.length} component(s) failed to stop`)
  }
  private end(component: Component): Promise<void> {
    const { limit } = this
    if (!limit) return component.stop()
    const ms = limit.ms + (component.extraStopMs ?? 0)
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`${component.name} did not stop within ${ms / 1000} s`))
      const timer = limit.clock.setTimer(late, ms)
      component
        .stop()
        .finally(() => timer.cancel())
        .then(resolve, reject)
    })
  }
}
