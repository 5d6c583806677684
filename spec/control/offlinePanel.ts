import { Panel } from '../../lib/control/panel.js'
import type { IntakeInfo } from '../../lib/control/parts.js'
import { registerCommands } from '../../lib/control/register.js'
import { readJson, writeJson } from '../../lib/protocol/content/json.js'
import { LamportClock } from '../../lib/protocol/lamport.js'
import type { LoggedDecision } from '../../lib/scaling/decisionLog.js'
import { loadSettings } from '../../lib/settings/load.js'
import type { Range } from '../../lib/settings/parse.js'
import { type QueueSpec, selectQueues } from '../../lib/settings/queues.js'
import type { OfflineApp } from '../support/offlineLine.js'
import { OfflineLine } from '../support/offlineLine.js'

/** A panel over a whole line, with doubles for what needs a broker. */
export class OfflinePanel {
  readonly offline: OfflineLine
  readonly panel: Panel
  readonly lamport = new LamportClock()
  readonly decisions: LoggedDecision[] = []
  readonly queues: QueueSpec[]
  intake: IntakeInfo[] = []
  bounds: Range
  taskEvents = false
  /** What was asked of the doubles, in order. */
  readonly asked: unknown[] = []

  constructor(app: OfflineApp, options: { slots?: number; config?: Record<string, unknown> } = {}) {
    const { config = {}, slots = 4 } = options
    this.offline = new OfflineLine(app, { slots, config })
    const { configured, settings } = loadSettings({ config, env: {}, flags: {} })
    const { clock, line, log } = this.offline
    this.queues = selectQueues(settings).queues
    this.bounds = settings.worker_autoscale ?? { max: slots, min: slots }
    this.panel = new Panel('w@spec', log)
    const self = this
    registerCommands(this.panel, {
      nodename: 'w@spec',
      version: '1.2.3',
      main: 'spec',
      tasks: app.tasks,
      settings,
      configured,
      clock,
      log,
      line,
      breakers: app.breakers,
      lamport: this.lamport,
      executor: this.offline.executor,
      scaling: {
        get bounds() {
          return self.bounds
        },
        setBounds: (bounds) => {
          this.bounds = bounds
          line.pool.resize(Math.min(Math.max(line.pool.size, bounds.min), bounds.max))
        },
        decisions: this.decisions,
      },
      queues: {
        queues: this.queues,
        intake: () => this.intake,
        add: async (queue) => void this.queues.push(queue),
        cancel: (name) => void this.asked.push(['cancel', name]),
      },
      fleets: {
        describe: () => [],
        relayout: (queue, lanes) => {
          if (queue !== 'builds') throw new Error(`${queue} is not a queue of --fleet here`)
          return `to ${lanes}`
        },
      },
      events: {
        enable: () => {
          const text = this.taskEvents ? 'task events already enabled' : 'task events enabled'
          this.taskEvents = true
          return text
        },
        disable: () => {
          const text = this.taskEvents ? 'task events disabled' : 'task events already disabled'
          this.taskEvents = false
          return text
        },
        heartbeat: () => void this.asked.push('heartbeat'),
      },
      neighbours: {
        hello: (args) => ({ heard: args.from_node }),
        election: (args) => {
          this.asked.push(['election', args])
          return null
        },
      },
      shutdown: () => void this.asked.push('shutdown'),
    })
  }

  /** The value of the reply as the asker reads it, out of JSON; undefined for no reply. A promise of it where the command takes time. */
  answer(method: string, args: Record<string, unknown> = {}): unknown {
    const value = this.panel.answer({
      method,
      arguments: args,
      destination: null,
      pattern: null,
      matcher: null,
      ticket: null,
      replyTo: null,
    })
    const read = (given: unknown): unknown => (given === undefined ? undefined : readJson(writeJson(given)))
    return value instanceof Promise ? value.then(read) : read(value)
  }
}
