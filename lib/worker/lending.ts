import type { App } from '../app/app.js'
import type { LoanTerms } from '../app/loan.js'
import type { Outlet } from '../app/outlet.js'
import type { Component } from '../component.js'
import type { StopLimit } from '../stopLimit.js'

/** Lends the worker's way out to its app, so that tasks send through it for as long as the worker runs. */
export class Lending implements Component {
  readonly name = 'lending'
  private takeBack: () => void = () => undefined

  constructor(
    private readonly app: App,
    private readonly outlet: Outlet,
    private readonly stopLimit: StopLimit,
    private readonly terms: LoanTerms,
  ) {}

  async start(): Promise<void> {
    this.takeBack = this.app.lend(bounded(this.outlet, this.stopLimit), this.terms)
  }

  async stop(): Promise<void> {
    this.takeBack()
  }
}

/** A task that sends while the broker is away must not hold up a stop: it is cut short, and its own message goes back. */
function bounded(outlet: Outlet, stopLimit: StopLimit): Outlet {
  const gaveUp = (): string => 'the message was not sent before the worker stopped'
  return {
    backend: outlet.backend,
    route: (...call) => outlet.route(...call),
    prepare: (route) => stopLimit.within(outlet.prepare(route), gaveUp),
    send: (message, route, delayMs) => stopLimit.within(outlet.send(message, route, delayMs), gaveUp),
    tellWorkers: async (...command) => stopLimit.within(outlet.tellWorkers?.(...command) ?? Promise.resolve(), gaveUp),
    close: () => outlet.close(),
  }
}
