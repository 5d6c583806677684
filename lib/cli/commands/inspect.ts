import type { Command } from 'commander'
import type { Client } from '../client.js'
import { readArguments } from '../commandArguments.js'
import { datedSlots } from '../datedSlots.js'
import type { Perform } from '../perform.js'
import { pythonJson } from '../pythonText.js'
import { addRemoteOptions, askWorkers, byNode, commandNamed, listCommands, type RemoteOptions } from '../remote.js'

/** `celeriac inspect`: asks workers what they are at. */
export function addInspect(program: Command, perform: Perform): void {
  addRemoteOptions(program.command('inspect'))
    .description('Inspect the worker at runtime.')
    .argument('<action>', 'what to ask')
    .argument('[args...]', 'its arguments')
    .addHelpText('after', listCommands('inspect'))
    .action((action: string, words: string[], options: RemoteOptions) =>
      perform((client) => inspect(client, action, words, options)),
    )
}

async function inspect(client: Client, action: string, words: string[], options: RemoteOptions): Promise<number> {
  const { output } = client
  const command = commandNamed('inspect', action)
  const args = readArguments(command, words)
  const replies = await askWorkers(client, command.name, args, options, ({ nodename, value }) => {
    if (!options.json) output.reply(nodename, command.name === 'slots' ? datedSlots(value) : value, { body: true })
  })
  const nodes = byNode(client, replies)
  if (options.json) output.say(pythonJson(nodes))
  else if (!output.quiet) output.online(Object.keys(nodes).length)
  return 0
}
