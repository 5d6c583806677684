import { fork } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { ConfigurationError } from '../errors.js'
import { PACKAGE_FOLDER } from '../version.js'
import type { Child } from './child.js'
import type { ChildPoolOptions } from './childKind.js'
import { ChildPool } from './childPool.js'
import type { AppSource, FromChild, ToChild } from './messages.js'

const ENTRY = fileURLToPath(new URL('dist/executors/childMain.js', PACKAGE_FOLDER))

export interface PreforkOptions extends ChildPoolOptions {
  /** Environment variables of the children, in addition to the worker's own. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * The prefork pool: one child process per slot. A task past its hard limit is killed with its process, whatever it
 * does.
 */
export function preforkPool(options: PreforkOptions): ChildPool {
  const { env = {} } = options
  return new ChildPool(
    {
      name: 'prefork',
      implementation: 'celery.concurrency.prefork:TaskPool',
      listed: 'processes',
      make: (source, number) => forkChild(source, number, env),
    },
    options,
  )
}

function forkChild(source: AppSource, number: number, env: Readonly<Record<string, string>>): Child {
  const child = fork(ENTRY, {
    cwd: source.cwd,
    env: { ...process.env, ...env },
    serialization: 'advanced',
    execArgv: nodeFlags(),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const label = `Process 'ForkPoolWorker-${number}' pid:${child.pid}`
  const gone = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(describeEnd(code, signal)))
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(error.message)
    })
  })
  const self: Child = {
    label,
    id: child.pid ?? 0,
    pid: child.pid ?? 0,
    gone,
    loaded: new Promise((resolve, reject) => {
      child.on('message', (message: FromChild) => {
        if (message.type === 'loaded') resolve()
        else if (message.type === 'unfit') {
          reject(new ConfigurationError(message.faults))
          child.kill('SIGKILL')
        } else self.onMessage(message)
      })
      void gone.then((how) => reject(new Error(`${label} exited with '${how}' before it had loaded the app`)))
    }),
    onMessage: () => undefined,
    send: (message: ToChild) => {
      // A child that has just died can't receive anything; its exit is handled elsewhere.
      if (child.connected) child.send(message, () => undefined)
    },
    end: () => self.send({ type: 'end' }),
    kill: () => void child.kill('SIGKILL'),
  }
  self.send({ type: 'load', source })
  return self
}

/**
 * Returns the Node flags for children. Only one process can have a debugger's port. Node itself leaves out `-e`, but
 * only in its own list.
 */
function nodeFlags(): string[] {
  const isInspect = (flag: string): boolean => flag.startsWith('--inspect')
  return process.execArgv.some(isInspect) ? process.execArgv.filter((flag) => !isInspect(flag)) : process.execArgv
}

/** Describes an exit in billiard's words. */
function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exitcode ${code}` : `signal ${constants.signals[signal]} (${signal})`
}
