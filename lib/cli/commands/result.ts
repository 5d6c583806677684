import type { Command } from 'commander'
import { AsyncResult } from '../../app/asyncResult.js'
import { createBackend } from '../../backends/index.js'
import { systemClock } from '../../clock.js'
import { RemoteError } from '../../protocol/exception.js'
import type { Client } from '../client.js'
import type { Perform } from '../perform.js'
import { pythonStr } from '../pythonText.js'

interface ResultOptions {
  readonly task?: string
  readonly traceback?: true
}

/**
 * `celeriac result`: waits for a task and prints its result; or prints the traceback of its failure, without waiting.
 */
export function addResult(program: Command, perform: Perform): void {
  program
    .command('result')
    .description('Print the return value for a given task id.')
    .argument('<task_id>', 'the id of the task')
    .optionsGroup('Result Options:')
    .option('-t, --task <name>', 'Name of the task (accepted, without effect: all tasks have the same backend).')
    .option('--traceback', 'Show traceback instead.')
    .action((id: string, options: ResultOptions) => perform((client) => result(client, id, options)))
}

async function result(client: Client, id: string, { traceback }: ResultOptions): Promise<number> {
  const { broker, log, output, settings } = client
  const { publisher } = broker()
  const backend = createBackend(settings, { publisher, log })
  const task = new AsyncResult(id, backend, systemClock)
  try {
    await backend.start()
    output.say(shown(traceback ? await task.traceback() : await task.get()))
    return 0
  } catch (thrown) {
    if (!(thrown instanceof RemoteError)) throw thrown
    // In Python the task's exception ends the program, which prints its traceback.
    output.error(((await task.traceback()) ?? lastLine(thrown)).trimEnd())
    return 1
  } finally {
    await backend.stop()
    await publisher.stop()
  }
}

/** Python's `None` is an empty line here, as in click's `echo`. */
function shown(value: unknown): string {
  return value === null || value === undefined ? '' : pythonStr(value)
}

function lastLine({ excModule, excType, message }: RemoteError): string {
  const type = excModule === null || excModule === 'builtins' ? excType : `${excModule}.${excType}`
  return message === '' ? type : `${type}: ${message}`
}
