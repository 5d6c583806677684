import type { Hooks } from './hooks/hooks.js'
import type { Outlet } from './outlet.js'

/** For whom a worker lends its way out. */
export interface LoanTerms {
  /** Its node name: its own tasks use this one, whoever else has lent his. */
  readonly worker?: string
  /** Not for code outside of tasks, which goes on by the app's own. */
  readonly onlyTasks?: boolean
  /** The app's hooks as the worker calls them. */
  readonly hooks?: Hooks
}

/** A way out that was lent. */
export interface Loan {
  readonly outlet: Outlet
  readonly worker: string | null
  readonly onlyTasks: boolean
  readonly hooks: Hooks
}
