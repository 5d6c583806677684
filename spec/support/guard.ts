import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/*
 * Runs a server in a process group of its own and takes one order from standard input: TERM or KILL. If the input ends without
 * an order, whoever started the server has gone, even by kill -9: then the server is killed and its directory removed.
 * What the server leaves in its group is killed after it.
 */
const SCRIPT = `
set -m
"$@" </dev/null & server=$!
{ read -r order; trap '' TERM; kill -s "\${order:-KILL}" -- -$server; [ "$order" ] || rm -rf "$GUARD_DIR"; } <&0 & reader=$!
exec 2>/dev/null
wait $server
kill -KILL -- -$server
kill $reader
wait $reader
`

/** A server that takes longer to stop is killed. */
const LONGEST_STOP_MS = 60_000

/** A running server. */
export interface Guarded {
  /** Sends the signal to all its processes and waits until none is left. */
  end(signal: 'TERM' | 'KILL'): Promise<void>
  /** @throws Error with the end of its output if it has ended */
  check(): void
}

/** Starts a server that can't outlive this process. It runs in `dir`, which is its own. */
export function guard({
  name,
  command,
  dir,
  env = process.env,
}: {
  name: string
  command: readonly string[]
  dir: string
  env?: NodeJS.ProcessEnv
}): Guarded {
  const child = spawn('/bin/bash', ['-c', SCRIPT, 'guard', ...command], {
    cwd: dir,
    env: { ...env, GUARD_DIR: dir },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // The guard may be gone already when it is given its order.
  child.stdin.on('error', () => undefined)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000)
    })
  }
  let over = false
  // Every process of the server holds the output, so it closes after the last of them.
  const ended = once(child, 'close').then(() => {
    over = true
  })
  return {
    end: async (signal) => {
      child.stdin.end(`${signal}\n`)
      const late = setTimeout(() => killChildrenOf(child.pid), LONGEST_STOP_MS)
      await ended
      clearTimeout(late)
    },
    check: () => {
      if (over) throw new Error(`${name} has ended:\n${output}`)
    },
  }
}

/** The guard's children lead the groups of the server and of the guard's reader. */
function killChildrenOf(pid: number | undefined): void {
  for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')) {
    process.kill(-Number(child), 'SIGKILL')
  }
}
