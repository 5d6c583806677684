/** The gauges of one worker that the rule reads. */
export interface Scrape {
  readonly slots: number
  readonly slotsMax: number
  readonly busy: number
  readonly reserved: number
  readonly loopUtilisation: number
  readonly breakerOpen: boolean
  /** Ready messages by queue, as this worker knows them. */
  readonly ready: Readonly<Record<string, number>>
}

/** What deploy/prometheus/scaling.yml records as `celery_fleet_load`; a spec compares the two. Null without a worker. */
export function fleetLoad(scrapes: readonly Scrape[]): number | null {
  if (scrapes.length === 0) return null
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)
  const queues = new Set(scrapes.flatMap(({ ready }) => Object.keys(ready)))
  const ready = sum([...queues].map((queue) => Math.max(...scrapes.map((scrape) => scrape.ready[queue] ?? 0))))
  const held = scrapes.some(({ breakerOpen }) => breakerOpen)
  const outstanding = sum(scrapes.map(({ busy, reserved }) => busy + reserved)) + (held ? 0 : ready)
  const slots = scrapes.map((each) => (each.loopUtilisation > 0.9 ? each.slots : each.slotsMax))
  return outstanding / (sum(slots) / slots.length)
}
