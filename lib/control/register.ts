import type { Arguments } from './arguments.js'
import { COMMANDS } from './commands/index.js'
import { Notes } from './notes.js'
import type { Panel } from './panel.js'
import type { ControlParts } from './parts.js'

/** Makes every command known to the panel, under its older names as well. To be called when the worker is put together: `stats` counts its uptime from then. */
export function registerCommands(panel: Panel, parts: ControlParts): void {
  const whole = { ...parts, notes: new Notes(parts.clock) }
  for (const { aliases, answer, name } of COMMANDS) {
    const answerer = (args: Arguments): unknown => answer(args, whole)
    for (const each of [name, ...aliases]) panel.register({ [each]: answerer })
  }
}
