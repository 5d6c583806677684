import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { MakeWorker } from '../../lib/cli/commands/worker.js'
import type { Execve, Io } from '../../lib/cli/io.js'
import { main } from '../../lib/cli/main.js'
import { fakeIo, IDLE } from '../support/fakeIo.js'

type MadeWith = Parameters<MakeWorker>[0]

const APP = `export default { [Symbol.for('celeriac.app')]: true, main: 'demo', conf: CONF, tasks: [{ name: 'demo.add' }] }`

describe('the command line', () => {
  let directory: string
  let out: string
  let err: string
  let signals: EventEmitter
  let errors: EventEmitter
  let exits: number[]
  let leaves: Array<[code: number, withinMs: number]>
  let env: Record<string, string>
  let made: MadeWith | undefined
  let end: (code: number) => void
  let startWith: () => Promise<void>
  let identity: Io['identity']
  let execve: Execve | null
  let told: string[]

  const collect = (take: (text: string) => void): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        take(String(chunk))
        done()
      },
    })

  const run = (...argv: string[]): Promise<number> => {
    const io = fakeIo({
      env,
      stdout: collect((text) => {
        out += text
      }),
      stderr: collect((text) => {
        err += text
      }),
      signals,
      errors,
      cwd: () => directory,
      chdir: (to) => {
        directory = to
      },
      exit: (code) => void exits.push(code),
      leave: (code, withinMs) => void leaves.push([code, withinMs]),
      identity,
      execve,
      tellParent: async (text) => {
        told.push(text)
        return true
      },
      command: ['node', 'celeriac.js', ...argv],
    })
    return main(argv, io, (options) => {
      made = options
      const ended = new Promise<{ code: number }>((resolve) => {
        end = (code) => resolve({ code })
      })
      return {
        ...IDLE,
        start: () => startWith(),
        stop: async () => end(0),
        terminate: async () => end(0),
        ended,
      }
    })
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'celeriac-cli-'))
    writeFileSync(join(directory, 'app.mjs'), APP.replace('CONF', '{ worker_concurrency: 3, broker_pool_limit: 1 }'))
    out = ''
    err = ''
    signals = new EventEmitter()
    errors = new EventEmitter()
    exits = []
    leaves = []
    env = {}
    made = undefined
    startWith = async () => end(0)
    identity = fakeIo().identity
    execve = null
    told = []
  })

  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('says its version', async () => {
    expect(await run('--version')).toBe(0)
    expect(out).toBe('0.1.0 (celeriac)\n')
  })

  it('runs a worker with the settings of app, environment and flags', async () => {
    env.CELERY_TASK_ACKS_LATE = '1'
    expect(await run('-b', 'amqp://h', '-A', 'app', 'worker', '-Q', 'a,b', '-l', 'info', '-n', 'w1@x', '-Ofair')).toBe(
      0,
    )
    expect(made?.nodename).toBe('w1@x')
    expect(made?.settings).toMatchObject({
      broker_url: 'amqp://h',
      worker_concurrency: 3,
      task_acks_late: true,
      queues: ['a', 'b'],
      loglevel: 'INFO',
      optimization: 'fair',
    })
    expect(out).toContain(' w1@x v0.1.0 (celeriac)\n')
    expect(out).toContain('  . demo.add\n')
    expect(err).toContain('WARNING/MainProcess] app config broker_pool_limit: has no effect here; ignored\n')
  })

  it.each([
    [['--purge'], { purge: true }],
    [['--discard'], { purge: true }],
    [['-E'], { worker_send_task_events: true }],
    [['--events'], { worker_send_task_events: true }],
    [['--autoscale', '2,10'], { worker_autoscale: { max: 10, min: 2 } }],
    [['--schedule=x', '-B'], { schedule_filename: 'x', beat: true }],
    [['-X', 'a', '--prefetch-multiplier=2'], { exclude_queues: ['a'], worker_prefetch_multiplier: 2 }],
    [
      ['--', 'worker.prefetch_multiplier=7', '.concurrency=2'],
      { worker_prefetch_multiplier: 7, worker_concurrency: 2 },
    ],
    [
      '-S s --disable-prefetch --without-gossip --without-mingle --without-heartbeat --heartbeat-interval 2 --scheduler x'.split(
        ' ',
      ),
      { worker_state_db: 's', heartbeat_interval: 2 },
    ],
    [
      '--uid 7 --gid 8 --umask 022 --executable e --max-tasks-per-child 1 --max-memory-per-child 2 --optimization default'.split(
        ' ',
      ),
      { uid: '7', gid: '8', umask: '022', executable: 'e', worker_max_memory_per_child: 2 },
    ],
  ])('takes %j', async (argv, settings) => {
    expect(await run('-A', 'app.mjs', 'worker', ...argv)).toBe(0)
    expect(made?.settings).toMatchObject(settings)
  })

  it('prints no banner with -q', async () => {
    expect(await run('-q', '-C', '-A', 'app', 'worker')).toBe(0)
    expect(out).toBe('')
    expect(made?.settings.no_color).toBe(true)
  })

  it('changes to the working directory first', async () => {
    const above = directory
    directory = '/'
    expect(await run('--workdir', above, '-A', 'app', 'worker')).toBe(0)
    expect(directory).toBe(above)
  })

  it('tells all that is wrong and exits with 2', async () => {
    expect(await run('-A', 'nowhere', 'worker', '--autoscale=a,b', '-l', 'LOUD')).toBe(2)
    expect(err).toContain("Error: the worker can't start:\n  -A nowhere: there is no ")
    expect(err).toContain('\n  --autoscale "a,b": expected')
    expect(err).toContain('\n  -l/--loglevel "LOUD": expected')
    expect(made).toBeUndefined()
    expect(leaves).toEqual([[2, 1000]])
  })

  it.each([
    ['-a', '1,2', `Expected a JSON array, such as '[1, "two"]'`],
    ['-k', 'name=value', `Expected a JSON object, such as '{"name": "value"}'`],
    ['--countdown', '1e300', 'expected one between the years 1 and 9999'],
    ['--expires', '1.8e12', 'expected one between the years 1 and 9999'],
  ])('shows what call %s is to be given', async (flag, text, expected) => {
    expect(await run('call', 'tasks.add', flag, text)).toBe(2)
    expect(err).toContain(expected)
  })

  it('says where to put an option that is on the wrong side', async () => {
    expect(await run('worker', '-A', 'app')).toBe(2)
    expect(err).toContain(
      '-A is a global option: put it before the subcommand, as in: celeriac -A dist/app.js worker\n',
    )
    expect(await run('-A', 'app', '-Qa', 'worker')).toBe(2)
    expect(err).toContain('-Qa is an option of worker: put it after the subcommand\n')
  })

  it.each([[['worker']], [['worker', '--colour']], [['wroker']], [['-A', 'app', 'worker', 'stray']]])(
    'exits with 2 for %j',
    async (argv) => {
      expect(await run(...argv)).toBe(2)
      expect(err).not.toBe('')
    },
  )

  it('imports the modules of -I, and tells of one that is missing', async () => {
    writeFileSync(join(directory, 'more.mjs'), `globalThis.moreTasks = true`)
    expect(await run('-A', 'app', 'worker', '-I', 'more')).toBe(0)
    expect((globalThis as { moreTasks?: boolean }).moreTasks).toBe(true)
    expect(await run('-A', 'app', 'worker', '-I', 'lost')).toBe(2)
    expect(err).toContain('-I/--include lost: there is no ')
  })

  it('lets nothing that an app left behind keep the process', async () => {
    await run('-A', 'app', 'worker')
    await run('--version')
    env.CELERY_WORKER_EXIT_TIMEOUT = '7.5'
    await run('-A', 'app', 'worker')
    expect(leaves).toEqual([
      [0, 1000],
      [0, 1000],
      [0, 7500],
    ])
  })

  it('warns of an app that listens for the signals of a shutdown itself', async () => {
    await run('-A', 'app', 'worker')
    expect(err).not.toContain('itself')
    signals.on('SIGTERM', () => undefined)
    await run('-A', 'app', 'worker')
    expect(err).toMatch(/WARNING.*The app listens for SIGTERM itself.*Leave open what tasks use.*worker_exit_timeout/)
    expect(err).not.toContain('SIGINT itself')
  })

  it("exits with the worker's code after an unrecoverable error", async () => {
    startWith = async () => end(1)
    expect(await run('-A', 'app', 'worker')).toBe(1)
  })

  it('exits with 1 when the worker fails to start', async () => {
    startWith = () => Promise.reject(new TypeError('no way'))
    expect(await run('-A', 'app', 'worker')).toBe(1)
    expect(err).toMatch(/CRITICAL\/MainProcess\] Unrecoverable error: TypeError\('no way'\)\nTypeError: no way\n/)
  })

  it('exits with 0 after TERM and with 1 after INT', async () => {
    startWith = async () => void signals.emit('SIGTERM')
    expect(await run('-A', 'app', 'worker')).toBe(0)
    startWith = async () => void signals.emit('SIGINT')
    expect(await run('-A', 'app', 'worker')).toBe(1)
    expect(out).toContain('worker: Warm shutdown (MainProcess)\n')
    expect(signals.eventNames()).toEqual([])
  })

  it.each(['SIGQUIT', 'SIGQUIT\r'])('takes TERM for QUIT with REMAP_SIGTERM %j', async (value) => {
    env.REMAP_SIGTERM = value
    startWith = async () => void signals.emit('SIGTERM')
    expect(await run('-A', 'app', 'worker')).toBe(0)
    expect(out).toContain('worker: Cold shutdown (MainProcess)\n')
  })

  it('starts again after HUP, when it has given all back', async () => {
    const pidfile = join(directory, 'w.pid')
    const replaced = new Error('replaced')
    const given: unknown[] = []
    execve = (file, args, environment) => {
      given.push(file, args, environment, existsSync(pidfile), signals.eventNames())
      throw replaced
    }
    Object.assign(env, { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '1000', WATCHDOG_PID: '4242', REST: 'x' })
    startWith = async () => void signals.emit('SIGHUP')
    const argv = ['-A', 'app', 'worker', '--pidfile', pidfile]
    await expect(run(...argv)).rejects.toBe(replaced)
    const supervised = { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '1000' }
    expect(given).toEqual(['node', ['node', 'celeriac.js', ...argv], { ...supervised, REST: 'x' }, false, []])
    expect(out).toContain('Restarting celery worker (node celeriac.js -A app worker')
    // What a task starts doesn't find the supervisor.
    expect(env).toEqual({ REST: 'x' })
  })

  it('tells the process that started it once it has started', async () => {
    startWith = async () => {
      expect(told).toEqual([])
      setImmediate(() => end(0))
    }
    await run('-A', 'app', 'worker')
    expect(told).toEqual(['started'])
  })

  it('becomes another user before it loads the app', async () => {
    const calls: string[] = []
    identity = {
      ...identity,
      setgid: (id) => void calls.push(`setgid ${id}`),
      setuid: (id) => void calls.push(`setuid ${id}`),
      umask: (mask) => void calls.push(`umask ${mask}`),
    }
    writeFileSync(join(directory, 'late.mjs'), 'globalThis.loads.push("app")')
    ;(globalThis as { loads?: string[] }).loads = calls
    await run('-A', 'late', 'worker', '--uid', '7', '--gid', '8', '--umask', '27')
    expect(calls).toEqual(['umask 23', 'setgid 8', 'setuid 7', 'app'])
    expect(await run('-A', 'app', 'worker', '--uid', 'no-such-user', '--umask', '9')).toBe(2)
    expect(err).toContain('--uid no-such-user: User does not exist: no-such-user\n')
    expect(err).toContain('--umask "9": expected a mask in octal digits')
  })

  it('holds the pidfile while the worker runs', async () => {
    let held = ''
    startWith = async () => {
      held = readFileSync(join(directory, 'w1.pid'), 'utf8')
      end(0)
    }
    expect(await run('-A', 'app', 'worker', '-n', 'w1@x', '--pidfile', `${directory}/%n.pid`)).toBe(0)
    expect(held).toBe('4242\n')
    expect(existsSync(join(directory, 'w1.pid'))).toBe(false)
  })

  it('exits with 73 when the pidfile is in use', async () => {
    writeFileSync(join(directory, 'w.pid'), `${process.pid}\n`)
    expect(await run('-A', 'app', 'worker', '--pidfile', join(directory, 'w.pid'))).toBe(73)
    expect(err).toContain(`already exists.\nSeems we're already running? (pid: ${process.pid})\n`)
  })

  it('logs a rejected promise that nobody took, and goes on', async () => {
    startWith = async () => {
      errors.emit('unhandledRejection', new Error('stray'))
      end(0)
    }
    expect(await run('-A', 'app', 'worker')).toBe(0)
    expect(err).toMatch(/ERROR\/MainProcess\] Unhandled promise rejection: Exception\('stray'\)\n/)
    expect(exits).toEqual([])
  })

  it('ends the process on an exception that nobody caught', async () => {
    startWith = async () => {
      errors.emit('uncaughtException', new Error('lost'))
      setImmediate(() => end(0))
    }
    await run('-A', 'app', 'worker')
    await new Promise((resolve) => setImmediate(resolve))
    expect(err).toMatch(/CRITICAL\/MainProcess\] Unrecoverable error: Exception\('lost'\)\n/)
    expect(exits).toEqual([1])
  })

  it('masks the password of the broker in the log', async () => {
    startWith = async () => {
      made?.log('x').error('refused hunter22')
      end(0)
    }
    await run('-b', 'amqp://u:hunter22@h', '-A', 'app', 'worker')
    expect(err).toContain('refused **\n')
    expect(out + err).not.toContain('hunter22')
  })
})
