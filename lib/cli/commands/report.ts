import type { Command } from 'commander'
import { confCommands } from '../../control/commands/conf.js'
import type { Client } from '../client.js'
import type { Perform } from '../perform.js'

/** `celeriac report`: what a bug report should hold; the same that `inspect report` tells of a worker. */
export function addReport(program: Command, perform: Perform): void {
  program
    .command('report')
    .description('Show information that is useful in bug reports.')
    .action(() => perform(report))
}

async function report({ configured, output, settings, version }: Client): Promise<number> {
  const commands = confCommands({ configured, main: settings.app ?? 'no app', settings, version })
  const reply = commands.report?.({}) as { readonly ok: string }
  output.say(reply.ok)
  return 0
}
