import { execFile } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { promisify } from 'node:util'
import type { Desk } from './desk.js'

const run = promisify(execFile)

/** The machine and the programs in words, as far as they matter to the figures. */
export async function describeMachine(desk: Desk): Promise<string> {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const [load = 0] = loadavg()
  const celery = await versionOf('/usr/bin/python3', ['-m', 'celery', '--version'], /[\d.]+/)
  const python = await versionOf('/usr/bin/python3', ['--version'], /[\d.]+/)
  const redis = await versionOf('redis-server', ['--version'], /v=([\d.]+)/)
  return (
    `${processors.length} processors (${model}), ${memory}, Linux ${release()}, Node.js ${process.versions.node}, ` +
    `RabbitMQ ${desk.brokerVersion}, Redis ${redis}, Celery ${celery} on Python ${python}; ` +
    `broker, workers and the bench share the machine, whose load was ${load.toFixed(1)} at the start`
  )
}

async function versionOf(command: string, args: readonly string[], pattern: RegExp): Promise<string> {
  const { stdout } = await run(command, args)
  const found = pattern.exec(stdout)
  return found?.[1] ?? found?.[0] ?? 'of unknown version'
}
