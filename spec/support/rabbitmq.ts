import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './freePort.js'

const run = promisify(execFile)
/** The package's own script: the one in /usr/sbin changes user, or refuses to run. */
const BIN = '/usr/lib/rabbitmq/bin'
const START_TIMEOUT_MS = 60_000
const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\t\x01', 'latin1')

/*
 * Runs the server in a process group of its own, and ends the group when standard input ends: the server goes when whoever
 * started it goes, even by kill -9. Erlang's port mapper makes itself a daemon, so it is told to go by name.
 */
const GUARD = `
trap : TERM
${BIN}/rabbitmq-server </dev/null & server=$!
{ read -r _; kill -TERM -- -$$; } <&0 & reader=$!
wait $server; wait $server
kill $reader 2>/dev/null
epmd -port "$ERL_EPMD_PORT" -kill >/dev/null 2>&1
`

/** A private RabbitMQ on ports of its own. */
export interface Rabbitmq {
  readonly url: string
  readonly port: number
  /** A clean stop; durable queues and persistent messages outlive it. */
  stop(): Promise<void>
  /** Again, on the same ports with the same data. */
  start(): Promise<void>
  kill(): Promise<void>
  /** Stops it and removes its data. */
  dispose(): Promise<void>
  /** rabbitmqctl. */
  ctl(...args: string[]): Promise<string>
}

/** Starts a server and waits until it speaks AMQP. @param conf further lines of rabbitmq.conf */
export async function startRabbitmq({ conf = '' }: { conf?: string } = {}): Promise<Rabbitmq> {
  const dir = await mkdtemp(join(tmpdir(), 'celeriac-rabbitmq-'))
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()]
  await mkdir(join(dir, 'home'))
  await writeFile(join(dir, 'plugins'), '[].\n')
  await writeFile(
    join(dir, 'rabbitmq.conf'),
    `listeners.tcp.1 = 127.0.0.1:${port}\nlog.file.level = warning\nlog.console = false\n${conf}\n`,
  )
  const env = {
    ...process.env,
    HOME: join(dir, 'home'),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq'),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'plugins'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_MNESIA_BASE: join(dir, 'data'),
    RABBITMQ_NODENAME: `celeriac${port}@localhost`,
  }
  let guard: ReturnType<typeof launch> | null = null

  const start = async (): Promise<void> => {
    guard = launch(env)
    await Promise.race([
      spokenTo(port),
      guard.ended.then((output) => {
        throw new Error(`RabbitMQ ended instead of starting:\n${output}`)
      }),
    ])
  }
  const end = async (how: (guard: ReturnType<typeof launch>) => void): Promise<void> => {
    if (!guard) return
    const ending = guard
    guard = null
    how(ending)
    await ending.ended
  }
  const stop = (): Promise<void> => end(({ child }) => child.stdin.end())
  const kill = async (): Promise<void> => {
    await end(({ child }) => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    })
    await run('epmd', ['-port', String(epmdPort), '-kill']).catch(() => undefined)
  }
  const broker: Rabbitmq = {
    url: `amqp://guest:guest@127.0.0.1:${port}//`,
    port,
    start,
    stop,
    kill,
    dispose: async () => {
      await stop()
      await rm(dir, { recursive: true, force: true })
    },
    ctl: async (...args) => (await run(join(BIN, 'rabbitmqctl'), args, { env })).stdout,
  }
  try {
    await start()
  } catch (thrown) {
    await broker.dispose()
    throw thrown
  }
  return broker
}

function launch(env: NodeJS.ProcessEnv) {
  const child = spawn('/bin/bash', ['-c', GUARD], { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  // The guard may be gone already when its input is closed.
  child.stdin.on('error', () => undefined)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000)
    })
  }
  return { child, ended: once(child, 'exit').then(() => output) }
}

/** Resolves once something on the port answers like AMQP. */
export async function spokenTo(port: number, timeoutMs = START_TIMEOUT_MS): Promise<void> {
  const until = Date.now() + timeoutMs
  while (!(await answers(port))) {
    if (Date.now() > until) throw new Error(`nothing speaks AMQP on port ${port} after ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Whether a broker on this loopback port begins AMQP's handshake. */
export function answers(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(PROTOCOL_HEADER))
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(2000, () => done(false))
    socket.once('error', () => done(false))
    socket.once('close', () => done(false))
    // connection.start: a method frame (1) on channel 0.
    socket.once('data', (data) => done(data[0] === 1))
  })
}
