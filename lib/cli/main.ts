import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { ConfigurationError } from '../errors.js'
import { type MakeWorker, runWorker } from './commands/worker.js'
import { addFlags, readFlags, scopeOf } from './flags.js'
import { type Io, processIo } from './io.js'

/** Usage and configuration errors, as click has it. */
const EX_USAGE = 2

/**
 * Runs the command line. Afterwards the process ends, even if something that the app or a task left behind would keep it.
 * @param argv the arguments without the interpreter and the script
 * @returns the exit code: 0, 1 for an unrecoverable error, 2 for a wrong command line or configuration, 73 for a pidfile in use
 */
export async function main(argv: readonly string[], io: Io = processIo, makeWorker?: MakeWorker): Promise<number> {
  const code = await run(argv, io, makeWorker)
  io.leave(code)
  return code
}

async function run(argv: readonly string[], io: Io, makeWorker: MakeWorker | undefined): Promise<number> {
  let code = 0
  const version = readVersion()
  const program = createProgram(version, io)
  const worker = program
    .command('worker')
    .description('Run a worker.')
    .argument('[settings...]', 'after --: settings such as worker.prefetch_multiplier=7')
    .addHelpText('after', '\nEach option is also read from the environment, as CELERY_WORKER_<OPTION>.')
    .action(async (args: string[]) => {
      const flags = { ...readFlags(program, 'global'), ...readFlags(worker, 'worker') }
      code = await runWorker({ flags, args, version, io, ...(makeWorker ? { makeWorker } : {}) })
    })
  addFlags(worker, 'worker')
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (thrown) {
    if (thrown instanceof CommanderError) return explain(thrown, io)
    if (!(thrown instanceof ConfigurationError)) throw thrown
    io.stderr.write(`Error: the worker can't start:\n${thrown.faults.map((fault) => `  ${fault}\n`).join('')}`)
    return EX_USAGE
  }
}

function createProgram(version: string, io: Io): Command {
  const program = new Command('celeriac')
    .description("A drop-in replacement for Python's celery worker, in TypeScript.")
    .version(`${version} (celeriac)`, '--version')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
  addFlags(program, 'global')
  return program
}

/** commander has told the fault by now; what is added is where an option belongs that stands on the wrong side of the subcommand. */
function explain({ code, exitCode, message }: CommanderError, io: Io): number {
  if (exitCode === 0) return 0
  const option = /unknown option '([^']*)'/.exec(message)?.[1]
  const scope = code === 'commander.unknownOption' && option !== undefined ? scopeOf(option) : undefined
  if (scope === 'global') {
    io.stderr.write(
      `${option} is a global option: put it before the subcommand, as in: celeriac -A dist/app.js worker\n`,
    )
  }
  if (scope === 'worker') io.stderr.write(`${option} is an option of worker: put it after the subcommand\n`)
  return EX_USAGE
}

function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
