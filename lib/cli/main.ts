import { Command, CommanderError } from 'commander'
import { CeleriacError, ConfigurationError } from '../errors.js'
import { printable } from '../protocol/printable.js'
import type { Settings } from '../settings/table.js'
import { VERSION } from '../version.js'
import { openClient } from './client.js'
import { addCall } from './commands/call.js'
import { addCompletion } from './commands/completion.js'
import { addEvents } from './commands/events.js'
import { addInit } from './commands/init.js'
import { addList } from './commands/list.js'
import { addPurge } from './commands/purge.js'
import { addRemoteControl } from './commands/remoteControl.js'
import { addReport } from './commands/report.js'
import { addResult } from './commands/result.js'
import { addStatus } from './commands/status.js'
import { type MakeWorker, runWorker } from './commands/worker.js'
import { addFlags, readFlags, scopeOf } from './flags.js'
import type { Input } from './input.js'
import { type Io, processIo } from './io.js'
import type { Perform, PerformAlone } from './perform.js'
import { CommandError, UsageError } from './usage.js'

/** The exit code for usage and configuration errors, as in click. */
const EX_USAGE = 2

/**
 * How long timers or sockets that a finished command left behind may keep the process alive; a worker has a setting for
 * it.
 */
const LEFTOVERS_MS = 1000
/** A longer timer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The commands beside `worker`, in the order of the help. */
const COMMANDS: ReadonlyArray<(program: Command, perform: Perform, alone: PerformAlone) => void> = [
  addCall,
  addCompletion,
  addRemoteControl('control'),
  addEvents,
  addInit,
  addRemoteControl('inspect'),
  addList,
  addPurge,
  addReport,
  addResult,
  addStatus,
]

/**
 * Runs the command line. Afterwards the process ends, even if something that the app or a task left behind would keep
 * it alive.
 * @param argv the arguments without the interpreter and the script
 * @returns the exit code: 0, 1 for an unrecoverable error, 2 for a wrong command line or configuration, 69 if no worker
 *   replied, 73 for a pidfile in use
 */
export async function main(
  argv: readonly string[],
  io: Io = processIo,
  makeWorker?: MakeWorker,
  input: Input = process.stdin,
): Promise<number> {
  // The reader of the output may exit, and the disk may be full: that does not end a worker, but the output is lost.
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => undefined)
  let leftoversMs = LEFTOVERS_MS
  const onSettings = ({ worker_exit_timeout }: Settings): void => {
    leftoversMs = Math.min(worker_exit_timeout * 1000, LONGEST_TIMER_MS)
  }
  const code = await run(argv, io, input, onSettings, makeWorker)
  io.leave(code, leftoversMs)
  return code
}

async function run(
  argv: readonly string[],
  io: Io,
  input: Input,
  onSettings: (settings: Settings) => void,
  makeWorker: MakeWorker | undefined,
): Promise<number> {
  let code = 0
  let what = 'worker'
  const version = VERSION
  const program = createProgram(version, io)
  const worker = program
    .command('worker')
    .description('Run a worker.')
    .argument('[settings...]', 'after --: settings such as worker.prefetch_multiplier=7')
    .addHelpText('after', '\nEach option is also read from the environment, as CELERY_WORKER_<OPTION>.')
    .action(async (args: string[]) => {
      const flags = { ...readFlags(program, 'global'), ...readFlags(worker, 'worker') }
      code = await runWorker({ flags, args, version, io, onSettings, ...(makeWorker ? { makeWorker } : {}) })
    })
  addFlags(worker, 'worker')
  const perform: Perform = async (work) => {
    what = 'command'
    code = await withOutput(io, async () =>
      work(await openClient({ flags: readFlags(program, 'global'), version, io, input })),
    )
  }
  const alone: PerformAlone = async (work) => {
    what = 'command'
    code = await withOutput(io, () => work(io))
  }
  for (const add of COMMANDS) add(program, perform, alone)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (thrown) {
    if (thrown instanceof CommanderError) return explain(thrown, io)
    if (thrown instanceof ConfigurationError) {
      io.stderr.write(`Error: the ${what} can't start:\n${thrown.faults.map((fault) => `  ${fault}\n`).join('')}`)
      return EX_USAGE
    }
    // Errors in a worker have been logged; one that gets this far is a bug of ours.
    if (what === 'worker' || !(thrown instanceof CeleriacError || isRefusal(thrown))) throw thrown
    io.stderr.write(`Error: ${printable(thrown.message, { lines: true })}\n`)
    if (thrown instanceof UsageError) return EX_USAGE
    return thrown instanceof CommandError ? thrown.exitCode : 1
  }
}

/**
 * Runs a command whose output is what it is for.
 * @throws CommandError if the output was lost, other than to a reader that exits before the end, as `head` does
 */
async function withOutput({ stdout }: Io, work: () => Promise<number>): Promise<number> {
  let lost: Error | null = null
  const lose = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') lost ??= error
  }
  stdout.on('error', lose)
  const code = await work()
  // A stream reports a failed write only in the next turn.
  await new Promise(setImmediate)
  stdout.off('error', lose)
  if (lost) throw new CommandError(`The output can't be written: ${(lost as Error).message}`)
  return code
}

/** Whether an error is the broker's answer to what a command asked for, such as 403 for a missing permission. */
function isRefusal(thrown: unknown): thrown is Error {
  return thrown instanceof Error && 'classId' in thrown && 'methodId' in thrown
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

/**
 * commander has reported the error by now; this adds where an option belongs that is on the wrong side of the
 * subcommand.
 */
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
