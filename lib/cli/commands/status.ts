import type { Command } from 'commander'
import { type AskOptions, addAskOptions, askWorkers, byNode } from '../askWorkers.js'
import type { Client } from '../client.js'
import type { Perform } from '../perform.js'
import { pythonJson } from '../pythonText.js'

/** `celeriac status`: shows which workers are online. */
export function addStatus(program: Command, perform: Perform): void {
  addAskOptions(program.command('status'))
    .description('Show list of workers that are online.')
    .action((options: AskOptions) => perform((client) => status(client, options)))
}

async function status(client: Client, options: AskOptions): Promise<number> {
  const { output } = client
  const replies = await askWorkers(client, 'ping', {}, options, ({ nodename, value }) => {
    if (!options.json) output.reply(nodename, value, { body: false })
  })
  const nodes = byNode(client, replies)
  if (options.json) output.say(pythonJson(nodes))
  // Celery prints the number even with JSON or --quiet.
  output.online(Object.keys(nodes).length)
  return 0
}
