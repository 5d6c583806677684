import type { Sample } from './controller.js'
import { type Estimate, expectedServiceMs } from './estimate.js'

/** How many slots a load asks for, before limits and rounding. */
export interface Need {
  /** This worker's share. */
  readonly slots: number
  /** What it would be without other workers. */
  readonly alone: number
  /** The part of `alone` that is for messages that already wait. */
  readonly backlog: number
}

/** The part of what the other workers don't cover that a worker leaves open. */
const LEFT_TO_OTHERS = 0.2
/** The part of what the whole fleet lacks that one worker opens at a time. */
const PART_OF_MISSING = 1 / 8

/**
 * Little's law for a window of `T` = targetWaitMs. In it, n slots of which b are busy start `n - b + n T / S` messages, if a run
 * takes S. They have to start the w that wait and the `rate T` that arrive, so `n = (w + b + rate T) S / (S + T)`: with short
 * runs `rate S` and the backlog's work spread over T, with long ones a slot a message. Arrivals are irregular, so for them
 * alone it is `rate S` and its square root, but never more slots than messages. While S is unknown, each message wants a slot.
 */
export function slotsNeeded(estimate: Estimate, sample: Sample, targetWaitMs: number): Need {
  const serviceMs = expectedServiceMs(estimate)
  const perMessage = serviceMs === null ? 1 : serviceMs / (serviceMs + targetWaitMs)
  // While no run has ended, runs are known to take as long as that; so long, then, arrivals would have to wait.
  const aheadMs = serviceMs === null ? Math.min(estimate.stuckMs, targetWaitMs) : targetWaitMs
  const messages = sample.reserved + sample.busy + estimate.ratePerMs * aheadMs
  const offered = serviceMs === null ? 0 : estimate.ratePerMs * serviceMs
  const inHand = Math.max(perMessage * messages, Math.min(offered + Math.sqrt(offered), messages))

  let own = 0
  for (const { ownConsumers } of sample.queues.values()) own += Math.max(1, ownConsumers)
  let ready = 0
  let shared = sample.queues.size === 0 ? inHand : 0
  for (const queue of sample.queues.values()) {
    const consumers = Math.max(1, queue.ownConsumers)
    // Nothing says which queue the running messages came from; a queue's consumers are the best guess.
    const part = (inHand * consumers) / own
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
 * This worker's share of a queue that others consume too. All it knows of them is how many consumers they have open; each is
 * taken to carry as many slots as one of ours. The broker deals messages out evenly over consumers, so the fleet's load is ours
 * times `consumers of all / consumers of ours`. Of the slots which that asks for, a worker has at most four fifths of what the
 * others leave uncovered. What is uncovered is the same for all, so once they have settled each has the same share, however
 * many they are: one that holds more finds less left and gives way, one that holds less finds more. With two workers the sum is
 * 8/9 of the need, with more of them closer to it; the margin for irregular arrivals covers that, and if it
 * doesn't, what waits raises everybody's need. And it opens at most an eighth at a time of what the fleet lacks, so that
 * workers that meet a burst together open what it asks for, not a multiple of it.
 */
function shareOfQueue(part: number, backlog: number, own: number, others: number, slotsPerConsumer: number): number {
  if (others === 0) return part + backlog
  const fleet = (part * (own + others)) / own + backlog
  const uncovered = fleet - others * slotsPerConsumer
  const missing = Math.max(0, uncovered - own * slotsPerConsumer)
  const most = own * slotsPerConsumer + missing * PART_OF_MISSING
  return Math.max(0, Math.min(most, uncovered * (1 - LEFT_TO_OTHERS)))
}
