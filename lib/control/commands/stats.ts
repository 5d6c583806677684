import { parkedCounts } from '../../request/info.js'
import { parseBrokerUrl } from '../../settings/brokerUrl.js'
import { maskUrl } from '../../settings/mask.js'
import type { Settings } from '../../settings/table.js'
import { type CommandParts, command } from '../command.js'
import { shownValue } from './conf.js'

/** `inspect stats`: Celery's figures, and from `slots` on Celeriac's own. */
export const statsCommands = [
  command({
    name: 'stats',
    kind: 'inspect',
    help: 'Statistics of the worker.',
    run: (_, parts) => {
      const { breakers, clock, lamport, line, notes, queues, scaling, settings } = parts
      const { state } = line
      return {
        total: Object.fromEntries(state.totals),
        pid: process.pid,
        clock: String(lamport.value),
        uptime: Math.floor((clock.monotonic() - notes.startedAt) / 1000),
        pool: poolOf(parts),
        broker: brokerOf(settings),
        prefetch_count: queues.intake().reduce((sum, { messages }) => sum + messages, 0),
        rusage: rusage(),
        ...(settings.worker_autoscale !== null
          ? {
              autoscaler: {
                max: scaling.bounds.max,
                min: scaling.bounds.min,
                current: line.pool.size,
                qty: state.ready + state.running.size,
              },
            }
          : {}),
        slots: { size: line.pool.size, busy: line.pool.busy, ready: state.ready },
        parked: parkedCounts(state),
        lanes: [...line.lanes].length,
        breakers: Object.fromEntries([...breakers].map(({ name, state }) => [name, state])),
        strays: state.strays,
        refused: Object.fromEntries(state.refused),
        endings: Object.fromEntries(state.endings),
      }
    },
  }),
]

/** Describes the pool as Celery's prefork pool does. */
function poolOf({ executor, settings }: CommandParts): Record<string, unknown> {
  return {
    ...executor.describe(),
    'max-tasks-per-child': settings.worker_max_tasks_per_child ?? 'N/A',
    'put-guarded-by-semaphore': false,
    timeouts: [settings.task_soft_time_limit ?? 0, settings.task_time_limit ?? 0],
    // Celery's text for a pool that doesn't write to its children through pipes.
    writes: 'N/A',
  }
}

/** Describes the broker that is consumed from as kombu's `Connection.info` does, without any password. */
function brokerOf(settings: Settings): Record<string, unknown> {
  const urls = settings.broker_read_url ?? settings.broker_url
  const [first] = parseBrokerUrl(urls)
  return {
    hostname: first?.hostname ?? null,
    userid: first?.username ?? null,
    virtual_host: first?.vhost ?? null,
    port: first?.port ?? null,
    insist: false,
    ssl: settings.broker_use_ssl !== false || (first?.tls ?? false),
    transport: first?.transport ?? null,
    connect_timeout: first?.connectTimeout ?? settings.broker_connection_timeout,
    transport_options: shownValue('broker_transport_options', settings.broker_transport_options),
    login_method: first?.loginMethod ?? 'PLAIN',
    uri_prefix: null,
    heartbeat: first?.heartbeat ?? settings.broker_heartbeat,
    failover_strategy: settings.broker_failover_strategy,
    alternates: urls.split(';').slice(1).map(maskUrl),
  }
}

/** Returns `getrusage` under Python's names: times in seconds, `maxrss` in KiB. */
function rusage(): Record<string, number> {
  const used = process.resourceUsage()
  return {
    utime: used.userCPUTime / 1e6,
    stime: used.systemCPUTime / 1e6,
    maxrss: used.maxRSS,
    ixrss: used.sharedMemorySize,
    idrss: used.unsharedDataSize,
    isrss: used.unsharedStackSize,
    minflt: used.minorPageFault,
    majflt: used.majorPageFault,
    nswap: used.swappedOut,
    inblock: used.fsRead,
    oublock: used.fsWrite,
    msgsnd: used.ipcSent,
    msgrcv: used.ipcReceived,
    nsignals: used.signalsCount,
    nvcsw: used.voluntaryContextSwitches,
    nivcsw: used.involuntaryContextSwitches,
  }
}
