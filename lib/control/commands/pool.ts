import { mostSlots } from '../../settings/slots.js'
import { given, integer, ValueError } from '../arguments.js'
import { type Command, nok, ok } from '../panel.js'
import type { ControlParts } from '../parts.js'
import { parkedCounts } from './stats.js'

/** Decisions of the autoscaler that `slots` shows. */
const SHOWN_DECISIONS = 10

/** The commands about slots. */
export function poolCommands({
  line,
  log,
  queues,
  scaling,
  settings,
}: Pick<ControlParts, 'line' | 'log' | 'queues' | 'scaling' | 'settings'>): Record<string, Command> {
  const autoscales = settings.worker_autoscale !== null
  const withoutAutoscale = (command: string): { error: string } | null =>
    autoscales ? nok(`${command} is not supported with autoscale. Adjust autoscale range instead.`) : null
  /** Looked at before anything is changed: beyond it, no connection could be built any more. */
  const bounded = (slots: number): number => {
    const most = mostSlots(settings.worker_pool)
    if (slots <= most) return slots
    throw new ValueError(`${slots} slots are more than the pool ${settings.worker_pool} can have: at most ${most}`)
  }
  const changeBy = (n: number): void => {
    const slots = bounded(scaling.bounds.max + n)
    if (slots < 1) throw new ValueError(`${scaling.bounds.max} slots can't be ${-n} fewer: one has to be left`)
    log.info(`Slots by remote control: ${slots}`)
    scaling.setBounds({ max: slots, min: slots })
  }
  return {
    pool_grow: ({ n = 1 }) => {
      const refusal = withoutAutoscale('pool_grow')
      if (refusal) return refusal
      changeBy(integer('n', n, 0))
      return ok('pool will grow')
    },
    pool_shrink: ({ n = 1 }) => {
      const refusal = withoutAutoscale('pool_shrink')
      if (refusal) return refusal
      changeBy(-integer('n', n, 0))
      return ok('pool will shrink')
    },
    pool_restart: () => {
      // Celery's text while worker_pool_restarts is off; a loaded module can't be loaded anew here, so that it never is on.
      throw new ValueError('Pool restarts not enabled')
    },
    autoscale: ({ max, min }) => {
      if (!autoscales) throw new ValueError('Autoscale not enabled')
      const most = given(max) ? bounded(integer('max', max, 1)) : scaling.bounds.max
      const fewest = given(min) ? bounded(integer('min', min, 0)) : Math.min(scaling.bounds.min, most)
      if (fewest > most) throw new ValueError(`max=${most} is below min=${fewest}`)
      scaling.setBounds({ max: most, min: fewest })
      const { bounds } = scaling
      log.info(`Autoscale by remote control: max=${bounds.max} min=${bounds.min}`)
      return ok(`autoscale now max=${bounds.max} min=${bounds.min}`)
    },
    slots: () => ({
      slots: { size: line.pool.size, busy: line.pool.busy, ready: line.state.ready },
      autoscale: autoscales,
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
    }),
  }
}
