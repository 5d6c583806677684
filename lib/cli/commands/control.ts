import type { Command } from 'commander'
import type { Client } from '../client.js'
import { readArguments } from '../commandArguments.js'
import type { Perform } from '../perform.js'
import { pythonJson } from '../pythonText.js'
import { addRemoteOptions, askWorkers, commandNamed, listCommands, type RemoteOptions } from '../remote.js'

/** `celeriac control`: changes what workers do. */
export function addControl(program: Command, perform: Perform): void {
  addRemoteOptions(program.command('control'))
    .description('Workers remote control.')
    .argument('<action>', 'what to do')
    .argument('[args...]', 'its arguments')
    .addHelpText('after', listCommands('control'))
    .action((action: string, words: string[], options: RemoteOptions) =>
      perform((client) => control(client, action, words, options)),
    )
}

async function control(client: Client, action: string, words: string[], options: RemoteOptions): Promise<number> {
  const { output } = client
  const command = commandNamed('control', action)
  const args = readArguments(command, words)
  const replies = await askWorkers(client, command.name, args, options, ({ nodename, value }) => {
    if (!options.json) output.reply(nodename, value, { body: true })
  })
  // Celery's inspect gives one dict, its control a list.
  if (options.json) output.say(pythonJson(replies.map(({ nodename, value }) => ({ [nodename]: value }))))
  return 0
}
