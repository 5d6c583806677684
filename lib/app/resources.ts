import { systemClock } from '../clock.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger } from '../ports.js'
import { repr } from '../protocol/repr.js'
import { LateError, within } from './hooks/within.js'
import { fn } from './optionChecks.js'
import { checkOptions } from './options.js'

/** How to open and close something that tasks share, such as a pool of database connections. */
export interface ResourceOptions<Value> {
  /**
   * Opens the resource, before the first task of a process or thread. An error, or exceeding `worker_resource_timeout`,
   * fails the start.
   */
  start: () => Value | PromiseLike<Value>
  /**
   * Closes the resource, after the last task of that process or thread. An error, or exceeding
   * `worker_resource_timeout`, is logged.
   */
  stop?: (value: Value) => unknown
}

/** How resources are opened and closed in this process. */
export interface ResourceTerms {
  /** Milliseconds that opening or closing one resource may take. */
  readonly timeoutMs: number
  readonly log: Logger
  readonly clock?: Clock
}

interface Resource {
  readonly name: string
  readonly start: () => unknown
  readonly stop: (value: unknown) => unknown
}

const NAME = /^[A-Za-z_$][\w$]*$/
const TABLE = {
  checks: { start: fn, stop: fn },
  elsewhere: {
    open: 'write start',
    init: 'write start',
    close: 'write stop',
    timeout: 'give it in the setting worker_resource_timeout, in seconds',
  },
}

/** The resources that the tasks of an app share: opened in the order of their definition, closed in reverse. */
export class Resources {
  private readonly all: Resource[] = []
  /** How many workers of this process use the resources. */
  private users = 0
  private started: Resource[] = []
  private starting: Promise<void> | null = null
  private open: Record<string, unknown> = {}

  /** The open resources, by name. */
  get values(): Readonly<Record<string, unknown>> {
    return this.open
  }

  /** The number of resources. */
  get count(): number {
    return this.all.length
  }

  /** @throws TypeError for a name that is taken or can't be the name of a property, and for wrong options */
  add<Value>(name: string, options: ResourceOptions<Value>): void {
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw new TypeError(`app.resource(${repr(name, 80)}): expected a name such as 'db'`)
    }
    if (this.all.some((each) => each.name === name)) {
      throw new TypeError(`app.resource('${name}'): there is a resource of that name already; choose another name`)
    }
    checkOptions(`app.resource('${name}')`, options, TABLE)
    const { start, stop } = options
    if (start === undefined)
      throw new TypeError(`app.resource('${name}'): start is missing: the function that opens it`)
    this.all.push({ name, start, stop: (value) => stop?.(value as Value) })
  }

  /**
   * Opens all resources, unless they are open.
   * @throws Error that names the resource that could not be opened; those before it are closed again
   */
  async start(terms: ResourceTerms): Promise<void> {
    this.users++
    this.starting ??= this.openAll(terms)
    try {
      await this.starting
    } catch (thrown) {
      this.users--
      if (this.users === 0) this.starting = null
      throw thrown
    }
  }

  /**
   * Closes the resources once nobody uses them any more. Never throws. Must be called once for each `start` that
   * succeeded.
   */
  async stop(terms: ResourceTerms): Promise<void> {
    if (this.users === 0 || --this.users > 0) return
    this.starting = null
    await this.closeAll(terms)
  }

  private async openAll(terms: ResourceTerms): Promise<void> {
    const { clock = systemClock, timeoutMs } = terms
    for (const resource of this.all) {
      const opening = Promise.resolve().then(resource.start)
      try {
        this.open[resource.name] = await within(opening, timeoutMs, clock)
        this.started.push(resource)
      } catch (thrown) {
        // The resource may still open later, and then nobody uses it.
        if (thrown instanceof LateError) opening.then(resource.stop).catch(() => undefined)
        await this.closeAll(terms)
        throw new Error(`resource ${resource.name} was not opened: ${reason(thrown)}`, { cause: thrown })
      }
    }
  }

  private async closeAll({ clock = systemClock, log, timeoutMs }: ResourceTerms): Promise<void> {
    const { open, started } = this
    this.open = {}
    this.started = []
    for (const { name, stop } of started.reverse()) {
      try {
        await within(
          Promise.resolve().then(() => stop(open[name])),
          timeoutMs,
          clock,
        )
      } catch (thrown) {
        log.error(`Resource ${name} was not closed: ${reason(thrown)}`)
      }
    }
  }
}

function reason(thrown: unknown): string {
  if (thrown instanceof LateError) return `${thrown.message} (worker_resource_timeout)`
  return repr(coerceError(thrown))
}
