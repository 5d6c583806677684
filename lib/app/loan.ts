import type { Hooks } from './hooks/hooks.js'
import type { Outlet } from './outlet.js'

/** Who uses the outlet that a worker lends. */
export interface LoanTerms {
  /** The worker's node name: its own tasks use this outlet, even if other workers have lent theirs. */
  readonly worker?: string
  /** Whether code outside of tasks keeps using the app's own outlet. */
  readonly onlyTasks?: boolean
  /** The app's hooks, as the worker calls them. */
  readonly hooks?: Hooks
}

/** An outlet that was lent. */
export interface Loan {
  readonly outlet: Outlet
  readonly worker: string | null
  readonly onlyTasks: boolean
  readonly hooks: Hooks
}
