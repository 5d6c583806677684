import { confCommands } from './commands/conf.js'
import { limitCommands } from './commands/limits.js'
import { memoryCommands } from './commands/memory.js'
import { nodeCommands } from './commands/node.js'
import { orderCommands } from './commands/order.js'
import { poolCommands } from './commands/pool.js'
import { queueCommands } from './commands/queues.js'
import { requestCommands } from './commands/requests.js'
import { revokeCommands } from './commands/revoke.js'
import { statsCommands } from './commands/stats.js'
import type { Panel } from './panel.js'
import type { ControlParts } from './parts.js'

const GROUPS = [
  confCommands,
  limitCommands,
  memoryCommands,
  nodeCommands,
  orderCommands,
  poolCommands,
  queueCommands,
  requestCommands,
  revokeCommands,
  statsCommands,
] as const

/** Makes every command known to the panel. To be called when the worker is put together: `stats` counts its uptime from then. */
export function registerCommands(panel: Panel, parts: ControlParts): void {
  for (const commands of GROUPS) panel.register(commands(parts))
}
