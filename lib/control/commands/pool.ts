import { parkedCounts } from '../../request/info.js'
import { mostSlots } from '../../settings/slots.js'
import { byDefault, integer, optional, texts, ValueError } from '../arguments.js'
import { type CommandParts, command, nok, ok } from '../command.js'

/** Decisions of the autoscaler that `slots` shows. */
const SHOWN_DECISIONS = 10

/** Commands about slots. */
export const poolCommands = [
  command({
    name: 'pool_grow',
    kind: 'control',
    help: 'Open N more slots.',
    args: { n: byDefault(integer(0), 1) },
    signature: '[N=1]',
    onPage: true,
    run: (args, parts) => {
      if (autoscales(parts)) return withAutoscale('pool_grow')
      changeBy(args.n, parts)
      return ok('pool will grow')
    },
  }),
  command({
    name: 'pool_shrink',
    kind: 'control',
    help: 'Close N slots.',
    args: { n: byDefault(integer(0), 1) },
    signature: '[N=1]',
    onPage: true,
    run: (args, parts) => {
      if (autoscales(parts)) return withAutoscale('pool_shrink')
      changeBy(-args.n, parts)
      return ok('pool will shrink')
    },
  }),
  command({
    name: 'pool_restart',
    kind: 'control',
    help: 'Not supported: the answer is an error. Restart the worker instead.',
    args: { modules: texts },
    signature: '[module1 [module2 [... [moduleN]]]]',
    run: () => {
      // Celery's text while worker_pool_restarts is off. Here it is always off: a loaded module can't be reloaded.
      throw new ValueError('Pool restarts not enabled')
    },
  }),
  command({
    name: 'autoscale',
    kind: 'control',
    help: 'Change the maximum and minimum number of slots.',
    args: { max: optional(integer(1)), min: optional(integer(0)) },
    signature: '[max [min]]',
    onPage: true,
    run: (args, parts) => {
      if (!autoscales(parts)) throw new ValueError('Autoscale not enabled')
      const { log, scaling } = parts
      const { max } = args
      const most = max === null ? scaling.bounds.max : bounded(max, parts)
      const { min } = args
      const fewest = min === null ? Math.min(scaling.bounds.min, most) : bounded(min, parts)
      if (fewest > most) throw new ValueError(`max=${most} is below min=${fewest}`)
      scaling.setBounds({ max: most, min: fewest })
      const { bounds } = scaling
      log.info(`Autoscale by remote control: max=${bounds.max} min=${bounds.min}`)
      return ok(`autoscale now max=${bounds.max} min=${bounds.min}`)
    },
  }),
  command({
    name: 'slots',
    kind: 'inspect',
    help: 'Slots, consumers of each queue, messages that wait, and the last decisions of the autoscaler.',
    run: (_, parts) => {
      const { line, queues, scaling } = parts
      return {
        slots: { size: line.pool.size, busy: line.pool.busy, ready: line.state.ready },
        autoscale: autoscales(parts),
        bounds: { max: scaling.bounds.max, min: scaling.bounds.min },
        window: queues.intake().map(({ queue, consumers, messages }) => ({
          queue,
          consumers,
          messages,
          parked: line.state.parkedFrom(queue),
        })),
        parked: parkedCounts(line.state),
        decisions: scaling.decisions.slice(-SHOWN_DECISIONS).map(({ at, slots, reason, detail, heldBack, split }) => ({
          at: at / 1000,
          slots,
          reason,
          held_back: heldBack === true,
          detail,
          split: Object.fromEntries(split),
        })),
      }
    },
  }),
]

function autoscales({ settings }: CommandParts): boolean {
  return settings.worker_autoscale !== null
}

function withAutoscale(name: string): { error: string } {
  return nok(`${name} is not supported with autoscale. Adjust autoscale range instead.`)
}

/** Checked before anything is changed: beyond this number no connection could be made. */
function bounded(slots: number, { settings }: CommandParts): number {
  const most = mostSlots(settings.worker_pool)
  if (slots <= most) return slots
  throw new ValueError(`${slots} slots are more than the pool ${settings.worker_pool} can have: at most ${most}`)
}

function changeBy(n: number, parts: CommandParts): void {
  const { log, scaling } = parts
  const slots = bounded(scaling.bounds.max + n, parts)
  if (slots < 1) throw new ValueError(`${scaling.bounds.max} slots can't be ${-n} fewer: one has to be left`)
  log.info(`Slots by remote control: ${slots}`)
  scaling.setBounds({ max: slots, min: slots })
}
