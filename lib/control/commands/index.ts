import type { Command } from '../command.js'
import { confCommands } from './conf.js'
import { limitCommands } from './limits.js'
import { memoryCommands } from './memory.js'
import { nodeCommands } from './node.js'
import { orderCommands } from './order.js'
import { poolCommands } from './pool.js'
import { queueCommands } from './queues.js'
import { requestCommands } from './requests.js'
import { revokeCommands } from './revoke.js'
import { statsCommands } from './stats.js'

/** Every remote control command, by name. */
export const COMMANDS: readonly Command[] = [
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
]
  .flat()
  .sort((one, other) => (one.name < other.name ? -1 : 1))
