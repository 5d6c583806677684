import { depthOf, type Estimate, expectedServiceMs } from './estimate.js'
import type { Sample } from './sample.js'

/** How many slots a load asks for, before limits and rounding. */
export interface Need {
  /** This worker's share. */
  readonly slots: number
  /** What it would be without other workers. */
  readonly alone: number
  /** The part of `alone` that is for messages that already wait. */
  readonly backlog: number
}

/** What arrives while the backlog is cleared may wait for as long as that, too; so much of it is reckoned with all the same. */
const PART_DUE = 1 / 8
/** The part of what the other workers don't cover that a worker leaves open. */
const LEFT_TO_OTHERS = 0.2
/** The fleet's need is taken for so many times as large, or two workers would leave a ninth of it to each other. */
const FOR_TWO = (1 - LEFT_TO_OTHERS / 2) / (1 - LEFT_TO_OTHERS)
/** The part of what the whole fleet lacks that one worker opens at a time, and at least one slot. */
const PART_OF_MISSING = 1 / 8

/**
 * Little's law for a window of `T` = targetWaitMs. In it, n slots of which b are busy start `n - b + n T / S` messages, if a run
 * takes S. They have to start the w that wait and an eighth of the `rate T` that arrive, so `n = (w + b + rate T / 8) S / (S + T)`:
 * with short runs the backlog's work spread over T, with long ones a slot a message. Without a backlog it is what arrivals keep
 * busy, `rate S`, and a small margin. While S is unknown, each message wants a slot of its own.
 */
export function slotsNeeded(estimate: Estimate, sample: Sample, targetWaitMs: number): Need {
  const serviceMs = expectedServiceMs(estimate)
  const perMessage = partFor(serviceMs, targetWaitMs)
  // Where slots are held by runs of an age that the mean can't explain, those don't count on getting them back so soon.
  const ageMs = sample.busy > 0 ? sample.runningMs / sample.busy : 0
  const perRun = serviceMs === null ? 1 : partFor(Math.max(serviceMs, ageMs / 2), targetWaitMs)
  // While no run has ended, runs are known to take as long as that; so long, then, arrivals would have to wait.
  const aheadMs = serviceMs === null ? Math.min(estimate.stuckMs, targetWaitMs) : targetWaitMs
  const coming = estimate.ratePerMs * aheadMs * PART_DUE
  const taken = perMessage * (sample.reserved + coming) + perRun * sample.busy
  const depth = sample.intakeStopped ? 0 : depthOf(sample)
  // After a burst, arrivals have been many, but aren't.
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
 * This worker's share of a queue that others consume too. All it knows of them is how many consumers they have open; each is
 * taken to carry as many slots as one of ours. The broker deals messages out evenly over consumers, so the fleet's load is ours
 * times `consumers of all / consumers of ours`. Of the slots which that asks for, a worker has at most four fifths of what the
 * others leave uncovered. What is uncovered is the same for all, so once they have settled each has the same share, however
 * many they are: one that holds more finds less left and gives way, one that holds less finds more. Two workers have together what
 * is needed, more of them up to an eighth more. And each opens at most an eighth at a time of what the fleet lacks, so that
 * workers that meet a burst together open what it asks for, not a multiple of it.
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

/** The part of a slot that a message asks for: all of it where runs are long, or where it isn't known how long they are. */
function partFor(serviceMs: number | null, targetWaitMs: number): number {
  return serviceMs === null ? 1 : serviceMs / (serviceMs + targetWaitMs)
}

/**
 * The slots for arrivals that keep `offered` of them busy in the mean. They come irregularly: with long runs that takes a margin
 * of a square root; with short ones it evens out within the target, if only the slots aren't exactly as many as are busy.
 */
function steady(offered: number, perMessage: number): number {
  return offered + Math.sqrt(offered * perMessage) + Math.min(0.5, offered) * (1 - perMessage)
}
