import type { App } from '../app/app.js'
import type { Settings } from '../settings/table.js'

/** Returns whether a task of the app, or a setting, defines an order key from the start. */
export function ordersTasks(app: App, { task_order_by }: Settings): boolean {
  return task_order_by !== null || [...app.tasks].some(({ options }) => options.orderBy !== undefined)
}
