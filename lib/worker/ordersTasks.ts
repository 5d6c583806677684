import type { App } from '../app/app.js'
import type { Settings } from '../settings/table.js'

/** Whether a task of the app, or a setting, says from the start that there is an order of keys to keep. */
export function ordersTasks(app: App, { task_order_by }: Settings): boolean {
  return task_order_by !== null || [...app.tasks].some(({ options }) => options.orderBy !== undefined)
}
