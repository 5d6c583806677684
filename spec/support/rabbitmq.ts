import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './freePort.js'
import { type Guarded, guard } from './guard.js'
import { ofRabbitmq } from './peers.js'
import { waitFor } from './waitFor.js'

const run = promisify(execFile)
/** The package's own script: the one in /usr/sbin changes user, or refuses to run. */
const BIN = '/usr/lib/rabbitmq/bin'
const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\t\x01', 'latin1')

/*
 * Erlang's port mapper, left alone, makes itself a daemon that outlives its node, and may not be stopped while it still lists
 * a killed one: so it runs in the foreground beside the server, and nothing else may start one.
 */
const SERVER = `
epmd & epmd=$!
until epmd -names >/dev/null 2>&1; do kill -0 $epmd || exit 1; sleep 0.02; done
exec ${BIN}/rabbitmq-server
`

/** A private RabbitMQ on ports of its own. */
export interface Rabbitmq {
  readonly url: string
  readonly port: number
  /** Its data, configuration and log. */
  readonly dir: string
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
    ERL_CRASH_DUMP_SECONDS: '0',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_FLAGS: '-start_epmd false',
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq'),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'plugins'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_MNESIA_BASE: join(dir, 'data'),
    RABBITMQ_NODENAME: `celeriac${port}@localhost`,
  }
  let server: Guarded | null = null

  const end = async (signal: 'TERM' | 'KILL'): Promise<void> => {
    const ending = server
    server = null
    await ending?.end(signal)
  }
  const start = async (): Promise<void> => {
    const starting = guard({ name: 'RabbitMQ', command: ofRabbitmq('/bin/bash', '-c', SERVER), dir, env })
    server = starting
    const speaks = (): Promise<boolean> => {
      starting.check()
      return answers(port)
    }
    await waitFor(speaks, { what: `RabbitMQ to speak AMQP on port ${port}`, everyMs: 50 })
  }
  const broker: Rabbitmq = {
    url: `amqp://guest:guest@127.0.0.1:${port}//`,
    port,
    dir,
    start,
    stop: () => end('TERM'),
    kill: () => end('KILL'),
    dispose: async () => {
      await end('TERM')
      await rm(dir, { recursive: true, force: true })
    },
    ctl: async (...args) => {
      const [command, ...rest] = ofRabbitmq(join(BIN, 'rabbitmqctl'), ...args)
      return (await run(command, rest, { env })).stdout
    },
  }
  try {
    await start()
  } catch (thrown) {
    await broker.dispose()
    throw thrown
  }
  return broker
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
