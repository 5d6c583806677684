import { type Command, CommanderError } from 'commander'
import { coerceError } from '../../errors.js'
import { printable } from '../../protocol/printable.js'
import {
  type AskOptions,
  addAskOptions,
  askWorkers,
  byNode,
  commandNamed,
  listCommands,
  listOwnCommands,
} from '../askWorkers.js'
import type { Client } from '../client.js'
import { readArguments } from '../commandArguments.js'
import { datedSlots } from '../datedSlots.js'
import type { Perform } from '../perform.js'
import { pythonJson } from '../pythonText.js'

const KINDS = {
  inspect: { description: 'Inspect the worker at runtime.', action: 'one of the commands below' },
  control: { description: 'Workers remote control.', action: 'one of the commands below' },
} as const

type Kind = keyof typeof KINDS

/** `celeriac inspect`, which asks workers for their state, or `celeriac control`, which changes what they do. */
export function addRemoteControl(kind: Kind): (program: Command, perform: Perform) => void {
  return (program, perform) => {
    const own = new OwnHelp()
    const command = addAskOptions(program.command(kind))
      .description(KINDS[kind].description)
      .option('--list', 'List the commands and exit.')
      .argument('<action>', KINDS[kind].action)
      .argument('[args...]', 'arguments of the command')
      .addHelpText('after', () => `${listCommands(kind)}${own.text}`)
      .action((action: string, words: string[], options: AskOptions) =>
        perform((client) => ask(client, kind, action, words, options)),
      )
    program.hook('preSubcommand', async (_, asked) => {
      if (asked === command && asksForHelp(program.args)) await own.load(kind, perform)
    })
    // Before the action is missed, as --version does it.
    command.on('option:list', () => {
      const text = `${listCommands(kind)}${own.text}`.trim()
      command.configureOutput().writeOut?.(`${text}\n`)
      throw new CommanderError(0, 'celeriac.list', text)
    })
  }
}

/** The part of the help about the app's own commands. */
class OwnHelp {
  text = ''

  /** If the app can't be loaded, the help is shown without its commands. */
  async load(kind: Kind, perform: Perform): Promise<void> {
    try {
      await perform(async ({ app }) => {
        this.text = app ? listOwnCommands(kind, app) : '\n  and those that the app given by -A defines'
        return 0
      })
    } catch (thrown) {
      this.text = `\n  and those of the app, which can't be loaded: ${printable(coerceError(thrown).message, { lines: true })}`
    }
  }
}

function asksForHelp(words: readonly string[]): boolean {
  return words.some((word) => word === '--help' || word === '-h' || word === '--list')
}

async function ask(
  client: Client,
  kind: Kind,
  action: string,
  words: readonly string[],
  options: AskOptions,
): Promise<number> {
  const { output } = client
  const command = commandNamed(kind, action, client.app)
  const args = readArguments(command, words)
  const replies = await askWorkers(client, command.name, args, options, ({ nodename, value }) => {
    if (!options.json) output.reply(nodename, command.name === 'slots' ? datedSlots(value) : value, { body: true })
  })
  if (kind === 'control') {
    // Celery's inspect gives one dict, its control a list.
    if (options.json) output.say(pythonJson(replies.map(({ nodename, value }) => ({ [nodename]: value }))))
    return 0
  }
  const nodes = byNode(client, replies)
  if (options.json) output.say(pythonJson(nodes))
  else if (!output.quiet) output.online(Object.keys(nodes).length)
  return 0
}
