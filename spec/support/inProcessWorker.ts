import type { App } from '../../lib/app/app.js'
import { loadSettings } from '../../lib/settings/load.js'
import { Worker } from '../../lib/worker.js'
import { MemoryLog } from './memoryLog.js'
import { waitFor } from './waitFor.js'

/** A worker in the spec's own process, consuming from `queue`. Stop it in `afterEach`. */
export async function startWorker(
  app: App,
  brokerUrl: string,
  queues: string | readonly string[],
  config: Record<string, unknown> = {},
): Promise<{ worker: Worker; log: MemoryLog }> {
  const { settings, faults } = loadSettings({
    config: { broker_url: brokerUrl, ...config },
    env: {},
    flags: { queues: [queues].flat().join(',') },
  })
  if (faults.length > 0) throw new Error(faults.join('\n'))
  const log = new MemoryLog()
  const worker = new Worker({ app, settings, nodename: 'w@spec', log: () => log })
  await worker.start()
  await waitFor(() => log.of('INFO').includes('w@spec ready.'), { timeoutMs: 10_000, what: 'the worker to be ready' })
  return { worker, log }
}
