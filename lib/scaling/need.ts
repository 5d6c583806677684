import { depthOf, type Estimate, expectedServiceMs } from './estimate.js'
import type { Sample } from './sample.js'

/** Number of slots that a load needs, before limits and rounding. */
export interface Need {
  /** This worker's share. */
  readonly slots: number
  /** The need without other workers. */
  readonly alone: number
  /** The part of `alone` for messages that already wait. */
  readonly backlog: number
}

/**
 * Messages that arrive while the backlog is cleared may wait just as long; this fraction of them is counted all the
 * same.
 */
const PART_DUE = 1 / 8
/** Fraction that a worker leaves open of what the other workers don't cover. */
const LEFT_TO_OTHERS = 0.2
/** Factor on the fleet's need; without it two workers would leave a ninth of it to each other. */
const FOR_TWO = (1 - LEFT_TO_OTHERS / 2) / (1 - LEFT_TO_OTHERS)
/** Fraction of what the whole fleet lacks that one worker opens at a time, at least one slot. */
const PART_OF_MISSING = 1 / 8

/**
 * Little's law for a window of `T` = targetWaitMs. In it, n slots of which b are busy start `n - b + n T / S` messages,
 * if a run takes S. They have to start the w that wait and an eighth of the `rate T` that arrive, so
 * `n = (w + b + rate T / 8) S / (S + T)`: with short runs the backlog's work spread over T, with long ones one slot per
 * message. Without a backlog the need is what arrivals keep busy, `rate S`, and a small margin. While S is unknown,
 * each message needs a slot of its own.
 */
export function slotsNeeded(estimate: Estimate, sample: Sample, targetWaitMs: number): Need {
  const serviceMs = expectedServiceMs(estimate)
  const perMessage = partFor(serviceMs, targetWaitMs)
  // If slots are held by runs much older than the mean, those slots won't be free so soon.
  const ageMs = sample.busy > 0 ? sample.runningMs / sample.busy : 0
  const perRun = serviceMs === null ? 1 : partFor(Math.max(serviceMs, ageMs / 2), targetWaitMs)
  // While no run has ended, runs are known to take at least this long, and arrivals would have to wait for as long.
  const aheadMs = serviceMs === null ? Math.min(estimate.stuckMs, targetWaitMs) : targetWaitMs
  const coming = estimate.ratePerMs * aheadMs * PART_DUE
  const taken = perMessage * (sample.reserved + coming) + perRun * sample.busy
  const depth = sample.intakeStopped ? 0 : depthOf(sample)
  // After a burst the long-term rate is too high.
  const ratePerMs = Math.min(estimate.ratePerMs, estimate.recentRatePerMs)
  const inHand = Math.max(taken, steady(ratePerMs * (serviceMs ?? 0), perMessage) - perMessage * depth)

  let own = 0
  let busy = 0
  for (const queue of sample.queues.values()) {
    own += Math.max(1, queue.ownConsumers)
    busy += queue.busy
  }
  let ready = 0
  let shared = sample.queues.size === 0 ? inHand : 0
  for (const queue of sample.queues.values()) {
    const consumers = Math.max(1, queue.ownConsumers)
    const part = busy > 0 ? (inHand * queue.busy) / busy : (inHand * consumers) / own
    const backlog = sample.intakeStopped ? 0 : perMessage * queue.ready
    ready += backlog
    shared += shareOfQueue(
      part,
      backlog,
      consumers,
      Math.max(0, queue.consumers - queue.ownConsumers),
      sample.slots / own,
    )
  }
  return { slots: shared, alone: inHand + ready, backlog: ready + perMessage * sample.reserved }
}

/**
 * Returns this worker's share of a queue that others consume too. All that is known about them is their number of open
 * consumers, each of which is assumed to carry as many slots as one of ours. The broker distributes messages evenly
 * over consumers, so the fleet's load is ours times `consumers of all / consumers of ours`. Of the slots needed for
 * that, a worker has at most four fifths of what the others leave uncovered. That is the same amount for all, so once
 * they have settled each has the same share, however many they are: one that holds more finds less left and gives way,
 * one that holds less finds more. Two workers together have what is needed, more of them up to an eighth more. And each
 * opens at most an eighth at a time of what the fleet lacks, so that workers that meet a burst together open what it
 * needs, not a multiple of it.
 */
function shareOfQueue(part: number, backlog: number, own: number, others: number, slotsPerConsumer: number): number {
  if (others === 0) return part + backlog
  const fleet = FOR_TWO * ((part * (own + others)) / own + backlog)
  const uncovered = Math.max(0, fleet - others * slotsPerConsumer)
  const share = uncovered * (1 - LEFT_TO_OTHERS)
  const slots = own * slotsPerConsumer
  const missing = Math.max(0, uncovered - slots)
  return Math.min(share, slots + Math.max(missing * PART_OF_MISSING, 1))
}

/** Returns the fraction of a slot that a message needs: a whole slot if runs are long, or of unknown length. */
function partFor(serviceMs: number | null, targetWaitMs: number): number {
  return serviceMs === null ? 1 : serviceMs / (serviceMs + targetWaitMs)
}

/**
 * Returns the slots for arrivals that keep `offered` of them busy on average. They come irregularly: with long runs
 * that takes a margin of a square root; with short ones it evens out within the target, provided that there are more
 * slots than are busy.
 */
function steady(offered: number, perMessage: number): number {
  return offered + Math.sqrt(offered * perMessage) + Math.min(0.5, offered) * (1 - perMessage)
}
