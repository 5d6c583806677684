import type { App } from '../app/app.js'
import type { LoanTerms } from '../app/loan.js'
import type { Outlet } from '../app/outlet.js'
import type { Component } from '../component.js'

/** Lends the worker's outlet to its app, so that tasks send through it while the worker runs. */
export class Lending implements Component {
  readonly name = 'lending'
  private takeBack: () => void = () => undefined

  constructor(
    private readonly app: App,
    private readonly outlet: Outlet,
    private readonly terms: LoanTerms,
  ) {}

  async start(): Promise<void> {
    this.takeBack = this.app.lend(this.outlet, this.terms)
  }

  async stop(): Promise<void> {
    this.takeBack()
  }
}
