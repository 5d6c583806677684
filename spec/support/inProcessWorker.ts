import { randomUUID } from 'node:crypto'
import type { App } from '../../lib/app/app.js'
import { loadSettings } from '../../lib/settings/load.js'
import { Worker } from '../../lib/worker/worker.js'
import { MemoryLog } from './memoryLog.js'
import { waitFor } from './waitFor.js'

/** A worker in the spec's own process, consuming from `queue`. Stop it in `afterEach`. */
export async function startWorker(
  app: App,
  brokerUrl: string,
  queues: string | readonly string[],
  config: Record<string, unknown> = {},
  flags: Record<string, unknown> = {},
): Promise<{ worker: Worker; log: MemoryLog }> {
  const { settings, faults } = loadSettings({
    config: { broker_url: brokerUrl, ...config },
    env: {},
    // Nothing of a spec's listens at an address that others may want.
    flags: { ...flags, queues: [queues].flat().join(','), ...('worker_http' in config ? {} : { without_http: true }) },
  })
  if (faults.length > 0) throw new Error(faults.join('\n'))
  const log = new MemoryLog()
  const nodename = `w@${randomUUID().slice(0, 8)}`
  const worker = new Worker({ app, settings, nodename, log: () => log })
  await worker.start()
  try {
    await waitFor(() => log.of('INFO').includes(`${nodename} ready.`), {
      what: 'the worker to be ready',
    })
  } catch (thrown) {
    throw new Error(log.lines.map(({ level, message }) => `${level} ${message}`).join('\n'), { cause: thrown })
  }
  return { worker, log }
}
