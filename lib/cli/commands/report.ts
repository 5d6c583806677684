import type { Command } from 'commander'
import { reportOf } from '../../control/commands/conf.js'
import type { Client } from '../client.js'
import type { Perform } from '../perform.js'

/** `celeriac report`: prints what a bug report should contain; `inspect report` gives the same for a worker. */
export function addReport(program: Command, perform: Perform): void {
  program
    .command('report')
    .description('Show information that is useful in bug reports.')
    .action(() => perform(report))
}

async function report({ configured, output, settings, version }: Client): Promise<number> {
  output.say(reportOf({ configured, main: settings.app ?? 'no app', settings, version }))
  return 0
}
