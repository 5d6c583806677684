import type { Command } from 'commander'
import type { Client } from '../client.js'
import type { Perform } from '../perform.js'
import { pythonJson } from '../pythonText.js'
import { addRemoteOptions, askWorkers, byNode, type RemoteOptions } from '../remote.js'

/** `celeriac status`: which workers are there. */
export function addStatus(program: Command, perform: Perform): void {
  addRemoteOptions(program.command('status'))
    .description('Show list of workers that are online.')
    .action((options: RemoteOptions) => perform((client) => status(client, options)))
}

async function status(client: Client, options: RemoteOptions): Promise<number> {
  const { output } = client
  const replies = await askWorkers(client, 'ping', {}, options, ({ nodename, value }) => {
    if (!options.json) output.reply(nodename, value, { body: false })
  })
  const nodes = byNode(client, replies)
  if (options.json) output.say(pythonJson(nodes))
  // Celery says the number whether or not it was asked for JSON, or to be quiet.
  output.online(Object.keys(nodes).length)
  return 0
}
