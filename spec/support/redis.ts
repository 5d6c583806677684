import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './freePort.js'
import { type Guarded, guard } from './guard.js'
import { redisServer } from './peers.js'
import { waitFor } from './waitFor.js'

/** A private Redis on a port of its own. */
export interface Redis {
  readonly url: string
  readonly port: number
  stop(): Promise<void>
  start(): Promise<void>
  kill(): Promise<void>
  dispose(): Promise<void>
}

/** Starts a server and waits until it answers. @param durable what was written outlives a kill; else nothing is kept @param more further arguments */
export async function startRedis({
  durable = false,
  more = [],
}: {
  durable?: boolean
  more?: readonly string[]
} = {}): Promise<Redis> {
  const dir = await mkdtemp(join(tmpdir(), 'celeriac-redis-'))
  const port = await freePort()
  const keeping = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir, ...keeping, ...more]
  let server: Guarded | null = null
  const end = async (signal: 'TERM' | 'KILL'): Promise<void> => {
    const ending = server
    server = null
    await ending?.end(signal)
  }
  const start = async (): Promise<void> => {
    const starting = guard({ name: 'Redis', command: redisServer(...args), dir })
    server = starting
    const up = async (): Promise<boolean> => {
      if (await answers(port)) return true
      starting.check()
      return false
    }
    await waitFor(up, { what: 'Redis to answer' })
  }
  const redis: Redis = {
    url: `redis://127.0.0.1:${port}/0`,
    port,
    start,
    stop: () => end('TERM'),
    kill: () => end('KILL'),
    dispose: async () => {
      await end('TERM')
      await rm(dir, { recursive: true, force: true })
    },
  }
  try {
    await start()
  } catch (thrown) {
    await redis.dispose()
    throw thrown
  }
  return redis
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
