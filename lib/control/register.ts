import type { OwnCommand } from '../app/ownCommands.js'
import type { Arguments } from './arguments.js'
import { COMMANDS } from './commands/index.js'
import { Notes } from './notes.js'
import { ownCommand } from './ownCommand.js'
import type { Panel } from './panel.js'
import type { ControlParts } from './parts.js'

/** Makes every command, and the app's own, known to the panel, under older names as well. To be called when the worker is put together: `stats` counts its uptime from then. */
export function registerCommands(panel: Panel, parts: ControlParts, own: Iterable<OwnCommand> = []): void {
  const whole = { ...parts, notes: new Notes(parts.clock) }
  for (const { aliases, answer, name } of [...COMMANDS, ...[...own].map(ownCommand)]) {
    const answerer = (args: Arguments): unknown => answer(args, whole)
    for (const each of [name, ...aliases]) panel.register({ [each]: answerer })
  }
}
