import { EventEmitter } from 'node:events'
import { Writable } from 'node:stream'
import type { Io } from '../../lib/cli/io.js'
import type { SupervisedWorker } from '../../lib/cli/worker/notify.js'

/** The parts of a process that a spec of the command line needn't care about. */
export function fakeIo(parts: Partial<Io> = {}): Io {
  const ignore = (): void => undefined
  const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() })
  return {
    env: {},
    pid: 4242,
    command: ['node', 'celeriac.js'],
    stdout: nowhere(),
    stderr: nowhere(),
    signals: new EventEmitter(),
    errors: new EventEmitter(),
    identity: {
      getuid: () => 0,
      getgid: () => 0,
      setuid: ignore,
      setgid: ignore,
      initgroups: ignore,
      setgroups: ignore,
      umask: ignore,
      lookUp: () => null,
    },
    cwd: () => '/',
    chdir: ignore,
    execve: null,
    tellParent: async () => false,
    endWithParent: ignore,
    exit: ignore,
    atExit: ignore,
    leave: ignore,
    ...parts,
  }
}

/** What can be seen of a worker that does nothing. */
export const IDLE: SupervisedWorker = {
  readiness: [],
  line: { pool: { busy: 0, size: 1 }, state: { parked: 0, running: [] } },
}
