import type { OwnCommand } from '../app/ownCommands.js'
import type { Arguments } from './arguments.js'
import type { Command } from './command.js'
import { COMMANDS } from './commands/index.js'
import { Notes } from './notes.js'
import { ownCommand } from './ownCommand.js'
import type { Panel } from './panel.js'
import type { ControlParts } from './parts.js'

/**
 * Registers every command, and the app's own, with the panel, also under older names. Must be called when the worker is
 * built: `stats` counts its uptime from then.
 * @returns a function that registers one more, which the app has defined later
 */
export function registerCommands(
  panel: Panel,
  parts: ControlParts,
  own: Iterable<OwnCommand> = [],
): (later: OwnCommand) => void {
  const whole = { ...parts, notes: new Notes(parts.clock) }
  const register = ({ aliases, answer, name }: Command): void => {
    const answerer = (args: Arguments): unknown => answer(args, whole)
    for (const each of [name, ...aliases]) panel.register({ [each]: answerer })
  }
  for (const command of [...COMMANDS, ...[...own].map(ownCommand)]) register(command)
  return (later) => register(ownCommand(later))
}
