import type { QueueSample, Sample } from '../../lib/scaling/sample.js'

/** A sample of a worker that does nothing, with 2 slots on one queue of its own, but for what is given. */
export function sampleOf(parts: Partial<Sample> & { readonly ready?: number } = {}): Sample {
  const { ready = 0, slots = 2, busy = 0, ...rest } = parts
  return {
    now: 0,
    queues: new Map([['q', queueOf({ ready, consumers: slots, ownConsumers: slots, busy })]]),
    slots,
    busy,
    reserved: 0,
    parked: 0,
    received: 0,
    completed: 0,
    serviceMsTotal: 0,
    runningMs: 0,
    loopUtilisation: 0,
    breakerOpen: false,
    ...rest,
  }
}

export function queueOf(parts: Partial<QueueSample> = {}): QueueSample {
  return { ready: 0, consumers: 1, ownConsumers: 1, busy: 0, ...parts }
}
