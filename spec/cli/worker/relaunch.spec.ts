import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { restart } from '../../../lib/cli/worker/relaunch.js'
import { fakeIo } from '../../support/fakeIo.js'
import { killAllPrograms, type Program, runProgram } from '../../support/program.js'
import { waitFor } from '../../support/waitFor.js'
import { ROOT } from '../../support/workerProgram.js'

/** Nobody listens there: the worker starts all the same, and goes on trying. */
const NO_BROKER = 'amqp://guest:hunter22@127.0.0.1:1//'

let directory: string
let pidfile: string
let logfile: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'celeriac-relaunch-'))
  pidfile = join(directory, 'w1.pid')
  logfile = join(directory, 'w1.log')
})

afterEach(async () => {
  const pid = pidOf(pidfile)
  // A worker that was killed leaves its file.
  if (pid !== null && existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL')
  await killAllPrograms()
  rmSync(directory, { recursive: true })
})

function run(...args: string[]): Program {
  return runOnNode([], args)
}

/** On a Node that cannot replace a program, as those before 22.15: a process that restarts stands in for the next one. */
function runWithStandIn(...args: string[]): Program {
  return runOnNode(['--import', 'data:text/javascript,delete%20process.execve'], args)
}

function runOnNode(flags: readonly string[], args: readonly string[]): Program {
  const command = ['-A', 'build/apps/steps.js', '-b', NO_BROKER, 'worker', '-n', 'w1@spec', '-l', 'INFO', ...args]
  return runProgram(process.execPath, [...flags, join(ROOT, 'bin/celeriac.js'), ...command], { cwd: ROOT })
}

/** The number in the pidfile, null if there is no such file; it may go at any moment. */
function pidOf(file: string): number | null {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw thrown
  }
}

const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1])
const log = (): string => (existsSync(logfile) ? readFileSync(logfile, 'utf8') : '')
const says = (text: string | RegExp): Promise<void> => waitFor(() => log().match(text), { what: `${text} in the log` })
const gone = (): Promise<void> => waitFor(() => pidOf(pidfile) === null, { what: 'the pidfile to be removed' })

describe('a worker with --detach', () => {
  const daemon = (...args: string[]): Program => run('-D', '--pidfile', join(directory, '%n.pid'), ...args)

  it('has started when the command ends with 0, and writes to its log file only', async () => {
    const command = daemon('-f', logfile)
    expect(await command.exited).toEqual({ code: 0, signal: null })
    const pid = pidOf(pidfile)
    if (pid === null) throw new Error('no pidfile')
    expect(pid).not.toBe(command.pid)
    expect(command.output).toBe('')
    await says('Cannot connect to')
    expect(log()).toContain(' w1@spec v')
    // A session of its own.
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3]).toBe(String(pid))
    process.kill(pid, 'SIGTERM')
    await gone()
    expect(log()).toContain('worker: Warm shutdown (MainProcess)')
  })

  it('needs no log file', async () => {
    expect(await daemon().exited).toEqual({ code: 0, signal: null })
    process.kill(pidOf(pidfile) ?? 0, 'SIGTERM')
    await gone()
  })

  it('tells what keeps it from its start, with the exit code', async () => {
    expect(await daemon('-f', logfile).exited).toEqual({ code: 0, signal: null })
    const second = daemon('-f', logfile)
    expect(await second.exited).toEqual({ code: 73, signal: null })
    expect(second.stderr).toContain(`already exists.\nSeems we're already running? (pid: ${pidOf(pidfile)})`)
    const third = daemon('-f', join(directory, 'no', 'w1.log'))
    expect(await third.exited).toEqual({ code: 2, signal: null })
    expect(third.stderr).toContain('-f/--logfile')
  })

  it('ends with the exit code of a daemon that ends at its start, and says where to look', async () => {
    const command = daemon('-f', logfile, '--executable', '/bin/false')
    expect(await command.exited).toEqual({ code: 1, signal: null })
    expect(command.stderr).toBe(`The worker failed to start, with exit code 1: see ${logfile}\n`)
  })

  it('takes the mask of its files', async () => {
    expect(await daemon('-f', logfile, '--umask', '077').exited).toEqual({ code: 0, signal: null })
    expect([statSync(logfile).mode & 0o777, statSync(pidfile).mode & 0o777]).toEqual([0o600, 0o600])
  })
})

describe('a worker that gets HUP', () => {
  it('starts again under the same number, hands signals on, and ends with the exit code of the new one', async () => {
    const program = run('--pidfile', pidfile)
    await program.waitForOutput(/Cannot connect to/)
    const pids = [pidOf(pidfile)]
    for (let time = 1; time <= 2; time++) {
      program.kill('SIGHUP')
      const firstTries = /consumer: Cannot connect .*\n.*\(1\/no limit\)/g
      await waitFor(() => program.stderr.match(firstTries)?.length === time + 1, {
        what: 'the first try of a new worker to connect',
      })
      pids.push(pidOf(pidfile))
    }
    expect(
      program.stdout.match(/^Restarting celery worker \(.*celeriac\.js -A build\/apps\/steps\.js -b amqp:/gm),
    ).toHaveLength(2)
    expect(program.output).not.toContain('hunter22')
    if ('execve' in process) {
      // Its program was replaced: the process is the worker itself.
      expect(pids).toEqual([program.pid, program.pid, program.pid])
    } else {
      // The stand-in runs one worker after another: there is no chain of them.
      expect(pids[0]).toBe(program.pid)
      expect(new Set(pids).size).toBe(3)
      expect(parentOf(pids[2] ?? 0)).toBe(program.pid)
    }
    program.kill('SIGINT')
    expect(await program.exited).toEqual({ code: 1, signal: null })
    expect(pidOf(pidfile)).toBeNull()
  })

  it('hands signals on once the new worker listens, which they would have killed before', async () => {
    const signals = new EventEmitter()
    const worker = 'process.on("SIGTERM", () => process.exit(7)); process.send("listening")'
    const io = fakeIo({ command: [process.execPath, '-e', `setInterval(() => undefined, 1000); ${worker}`], signals })
    const ending = restart({ io, cwd: '/', env: process.env })
    signals.emit('SIGTERM')
    expect(await ending).toBe(7)
    expect(signals.eventNames()).toEqual([])
  })

  it('ends with 0 when it gets TERM while its new process starts', async () => {
    const program = runWithStandIn('--pidfile', pidfile)
    await program.waitForOutput(/Cannot connect to/)
    program.kill('SIGHUP')
    const { pid = 0 } = program
    await waitFor(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') !== '', { what: 'a new process' })
    program.kill('SIGTERM')
    expect(await program.exited).toEqual({ code: 0, signal: null })
  })

  it('stops cold when the process that it was started as is killed', async () => {
    const program = runWithStandIn('--pidfile', pidfile)
    await program.waitForOutput(/Cannot connect to/)
    program.kill('SIGHUP')
    await waitFor(() => ![null, program.pid].includes(pidOf(pidfile)), { what: 'the pidfile of the new worker' })
    program.kill('SIGKILL')
    await gone()
  })

  it('replaces its own program where Node can', async () => {
    const calls: unknown[] = []
    const replaced = new Error('replaced')
    const io = fakeIo({
      command: ['/usr/bin/node', '/srv/celeriac.js', 'worker'],
      chdir: (to) => void calls.push(to),
      execve: (...call) => {
        calls.push(call)
        throw replaced
      },
    })
    await expect(restart({ io, cwd: '/srv', env: { A: '1', B: undefined } })).rejects.toBe(replaced)
    expect(calls).toEqual(['/srv', ['/usr/bin/node', ['/usr/bin/node', '/srv/celeriac.js', 'worker'], { A: '1' }]])
  })
})

describe('a worker that gets USR1', () => {
  it('goes on in a new log file, and says what runs', async () => {
    const program = run('-f', logfile)
    await says('Cannot connect to')
    renameSync(logfile, `${logfile}.1`)
    program.kill('SIGUSR1')
    await says(/WARNING\/MainProcess\] 0 of 16 slots run a task/)
    program.kill('SIGTERM')
    expect(await program.exited).toEqual({ code: 0, signal: null })
    // Node's own meaning of the signal is a debugger that listens.
    expect(program.stderr).toBe('')
  })
})
