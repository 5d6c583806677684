/*
 *   withBroker.js COMMAND ARG...   runs a command with CELERY_BROKER_URL set, and ends with its exit code
 *   withBroker.js --probe          ends with 0 if a broker is there already
 *
 * The broker is that of CELERY_BROKER_URL, else one that answers on localhost:5672, else a private one for as long as the command
 * runs; with CELERIAC_SPEC_RABBITMQ always a private one, of that release.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { answers, startRabbitmq } from './rabbitmq.js'

const LOCAL_PORT = 5672
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

async function find(): Promise<{ url: string; what: string } | null> {
  const given = process.env.CELERY_BROKER_URL
  if (given) return { url: given, what: 'the broker of CELERY_BROKER_URL' }
  if (process.env.CELERIAC_SPEC_RABBITMQ) return null
  if (!(await answers(LOCAL_PORT))) return null
  return { url: `amqp://guest:guest@127.0.0.1:${LOCAL_PORT}//`, what: `the broker on localhost:${LOCAL_PORT}` }
}

async function main([command, ...args]: string[]): Promise<number> {
  const found = await find()
  if (command === '--probe') return found ? 0 : 1
  if (!command) throw new Error('usage: withBroker.js COMMAND ARG...')
  let interrupted: (typeof SIGNALS)[number] | null = null
  let pass = (signal: (typeof SIGNALS)[number]): void => {
    interrupted = signal
  }
  for (const signal of SIGNALS) process.on(signal, () => pass(signal))
  const broker = found ? null : await startRabbitmq()
  try {
    console.log(`Using ${found?.what ?? 'a private RabbitMQ'}.`)
    if (interrupted) return 128 + constants.signals[interrupted]
    const env = { ...process.env, CELERY_BROKER_URL: found?.url ?? broker?.url ?? '' }
    const child = spawn(command, args, { stdio: 'inherit', env })
    pass = (signal) => child.kill(signal)
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? 128 + (signal ? constants.signals[signal] : 0)
  } finally {
    await broker?.dispose()
  }
}

process.exitCode = await main(process.argv.slice(2))
