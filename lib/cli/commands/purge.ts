import type { Command } from 'commander'
import { coerceError } from '../../errors.js'
import { configuredQueues } from '../../settings/queues.js'
import { readList } from '../askWorkers.js'
import type { Client } from '../client.js'
import { confirm } from '../input.js'
import { plural } from '../output.js'
import type { Perform } from '../perform.js'

interface PurgeOptions {
  readonly force?: true
  readonly queues?: readonly string[]
  readonly excludeQueues?: readonly string[]
}

/** `celeriac purge`: deletes the messages that wait in queues. */
export function addPurge(program: Command, perform: Perform): void {
  program
    .command('purge')
    .description('Erase all messages from all known task queues. There is no undo.')
    .optionsGroup('Purging Options:')
    .option('-f, --force', 'Purge without asking first.')
    .option(
      '-Q, --queues <names>',
      'Queues to purge, joined by commas; those of the configuration if not given.',
      readList,
    )
    .option('-X, --exclude-queues <names>', 'Queues not to purge.', readList)
    .action((options: PurgeOptions) => perform((client) => purge(client, options)))
}

async function purge(client: Client, { excludeQueues = [], force, queues }: PurgeOptions): Promise<number> {
  const { input, io, output, settings } = client
  const names = [...new Set(queues ?? configuredQueues(settings))]
    .filter((name) => !excludeQueues.includes(name))
    .sort()
  if (names.length === 0) return 0
  const noun = plural(names.length, 'queue')
  if (!force) {
    const warning =
      `${output.style('red', 'WARNING')}:This will remove all tasks from ${noun}: ${names.join(', ')}.\n` +
      '         There is no undo for this operation!\n\n' +
      '(to skip this prompt use the -f option)\n' +
      'Are you sure you want to delete all tasks?'
    if (!(await confirm(warning, input, io.stdout))) {
      output.error('Aborted!')
      return 1
    }
  }
  const refused: string[] = []
  const messages = await client.broker().session(async (session) => {
    let sum = 0
    for (const name of names) {
      try {
        sum += await session.purge(name)
      } catch (thrown) {
        // The broker refuses this queue; without a connection all others are lost, too.
        session.ended.throwIfAborted()
        refused.push(`Error: ${name} is not purged: ${coerceError(thrown).message}`)
      }
    }
    return sum
  })
  output.say(
    messages > 0
      ? `Purged ${messages} ${plural(messages, 'message')} from ${names.length} known task ${noun}.`
      : `No messages purged from ${names.length} ${noun}.`,
  )
  for (const text of refused) output.error(text)
  return refused.length === 0 ? 0 : 1
}
