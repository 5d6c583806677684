import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './freePort.js'
import { waitFor } from './waitFor.js'

/** As RabbitMQ's guard: the server goes when whoever started it goes. */
const GUARD = `
trap : TERM
redis-server "$@" </dev/null & server=$!
{ read -r _; kill -TERM -- -$$; } <&0 & reader=$!
wait $server; wait $server
kill $reader 2>/dev/null
`

/** A private Redis on a port of its own. */
export interface Redis {
  readonly url: string
  readonly port: number
  stop(): Promise<void>
  start(): Promise<void>
  kill(): Promise<void>
  dispose(): Promise<void>
}

/** Starts a server and waits until it answers. @param durable what was written outlives a kill; else nothing is kept */
export async function startRedis({ durable = false }: { durable?: boolean } = {}): Promise<Redis> {
  const dir = await mkdtemp(join(tmpdir(), 'celeriac-redis-'))
  const port = await freePort()
  const keeping = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir, ...keeping]
  let guard: ReturnType<typeof launch> | null = null
  const start = async (): Promise<void> => {
    guard = launch(args)
    await waitFor(() => answers(port), { timeoutMs: 20_000, what: 'Redis to answer' })
  }
  const end = async (how: (guard: ReturnType<typeof launch>) => void): Promise<void> => {
    if (!guard) return
    const ending = guard
    guard = null
    how(ending)
    await ending.ended
  }
  const stop = (): Promise<void> => end(({ child }) => child.stdin.end())
  await start()
  return {
    url: `redis://127.0.0.1:${port}/0`,
    port,
    start,
    stop,
    kill: () =>
      end(({ child }) => {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      }),
    dispose: async () => {
      await stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function launch(args: readonly string[]) {
  const child = spawn('/bin/bash', ['-c', GUARD, 'redis', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.stdin.on('error', () => undefined)
  return { child, ended: once(child, 'exit') }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('error', () => done(false))
    socket.once('close', () => done(false))
    socket.once('data', (data) => done(data.toString().startsWith('+PONG')))
  })
}
