import { type Command, InvalidArgumentError } from 'commander'
import type { App } from '../app/app.js'
import { systemClock } from '../clock.js'
import { type ControlReply, callWorkers, REPLY_LIMITS } from '../control/broadcast.js'
import type { CommandInfo } from '../control/command.js'
import { COMMANDS } from '../control/commands/index.js'
import { ownCommand } from '../control/ownCommand.js'
import type { AmqpProperties } from '../protocol/amqp.js'
import { loads } from '../protocol/content/content.js'
import { LamportClock } from '../protocol/lamport.js'
import type { Client } from './client.js'
import { readPythonJson } from './pythonText.js'
import { CommandError, EX_UNAVAILABLE, UsageError } from './usage.js'

/** The options of `inspect`, `control` and `status`. */
export interface AskOptions {
  /** Seconds. */
  readonly timeout: number
  readonly destination?: readonly string[]
  readonly json?: true
}

const JSON_TYPE = 'application/json'

/** Adds the options of commands that ask remote workers. */
export function addAskOptions(command: Command): Command {
  return command
    .optionsGroup('Remote Control Options:')
    .option('-t, --timeout <seconds>', 'Seconds to wait for replies.', readSeconds, 1)
    .option('-d, --destination <nodes>', 'Node names, joined by commas; all workers if not given.', readList)
    .option('-j, --json', 'Print the replies as JSON.')
}

/** Seconds, with or without a fraction. @throws InvalidArgumentError */
export function readSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !Number.isFinite(seconds)) throw new InvalidArgumentError('expected seconds, such as 2.5')
  return seconds
}

/** Like Celery, splits at commas and trims nothing. */
export function readList(text: string): string[] {
  return text.split(',')
}

/**
 * Finds a command by name or alias: Celery's, ours, or one that the app of -A defines.
 * @throws UsageError that lists the commands
 */
export function commandNamed(
  kind: CommandInfo['kind'],
  name: string,
  app: Pick<App, 'commands'> | null = null,
): CommandInfo {
  const own = [...(app?.commands ?? [])].map(ownCommand)
  const offered = [...COMMANDS, ...own].filter((command) => command.kind === kind)
  const found = offered.find((command) => command.name === name || command.aliases.includes(name))
  if (found) return found
  const names = offered.map((command) => `'${command.name}'`).join(', ')
  throw new UsageError(`Invalid value for 'action': '${name}' is not one of ${names}.`)
}

/** The commands with their arguments and descriptions, for the help. */
export function listCommands(kind: CommandInfo['kind']): string {
  return listed('Commands', COMMANDS, kind)
}

/** The commands that an app defines, for the help; an empty text without any. */
export function listOwnCommands(kind: CommandInfo['kind'], app: Pick<App, 'commands' | 'main'>): string {
  return listed(`Commands of ${app.main}`, [...app.commands].map(ownCommand), kind)
}

function listed(title: string, commands: readonly CommandInfo[], kind: CommandInfo['kind']): string {
  const rows = commands
    .filter((command) => command.kind === kind)
    .map(({ help, name, signature }) => `  ${`${name} ${signature}`.trimEnd()}\n      ${help}`)
  return rows.length === 0 ? '' : `\n${title}:\n${rows.join('\n')}`
}

/**
 * Asks the workers.
 * @throws CommandError with exit code 69 when none replies
 */
export async function askWorkers(
  client: Client,
  method: string,
  args: Readonly<Record<string, unknown>>,
  { destination, timeout }: AskOptions,
  onReply?: (reply: ControlReply) => void,
): Promise<ControlReply[]> {
  const replies = await client
    .broker()
    .session((session) =>
      callWorkers(
        session,
        { method, arguments: args, destination: destination ?? null },
        { timeout, clock: systemClock, lamport: new LamportClock(), log: client.log, read: readContent, onReply },
      ),
    )
  if (replies.length === 0) throw new CommandError('No nodes replied within time constraint', EX_UNAVAILABLE)
  return replies
}

/** The replies by node name. Two workers of one name can't be told apart, which is reported. */
export function byNode(client: Client, replies: readonly ControlReply[]): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const { nodename, value } of replies) {
    if (Object.hasOwn(found, nodename))
      client.log.warning(`Several workers are called ${nodename}: give each its own -n`)
    found[nodename] = value
  }
  return found
}

/** The content of a reply or an event. In JSON, Python's floats are kept distinct from its ints. */
export function readContent(content: Buffer, properties: AmqpProperties): unknown {
  const type = properties.contentType ?? JSON_TYPE
  return type === JSON_TYPE ? readPythonJson(content.toString()) : loads(content, properties, REPLY_LIMITS)
}
