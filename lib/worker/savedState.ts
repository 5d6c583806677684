import { StateDb, type StateDbOptions } from '../request/stateDb.js'
import type { Settings } from '../settings/table.js'

/** Starts before the events: the clock is saved after the last of them, so that it never goes back over a restart. */
export function savedState(settings: Settings, options: Omit<StateDbOptions, 'file'>): StateDb[] {
  const { worker_state_db: file } = settings
  return file === null ? [] : [new StateDb({ ...options, file })]
}
