import { setTimeout } from 'node:timers/promises'
import { type Count, hasEnough, isOver, type Pace, pace } from './count.js'
import type { BenchMessage } from './message.js'
import { type Stand, until } from './stand.js'
import type { Workplace } from './workplace.js'

/*
 * How fast a worker settles tasks, measured in the same way whoever it is:
 *
 *   1. it runs some tasks, so that it is warm;
 *   2. all its processes are halted, and its queue is filled, every message confirmed: publishing costs no measured time;
 *   3. they go on, and the queue's ready messages are counted every few milliseconds, on a channel of its own.
 *
 * While messages are ready, the worker's window is always full: each message that is settled lets the next one out. So between two
 * counts as many tasks were settled as messages left the queue, give or take the change of the window, which is none. The first
 * part of the backlog is left out (the workers are just waking up), as is the end, where the window empties. That is true of workers
 * that acknowledge a task when it starts (Celery's way by default, and ours), too: their slots and windows bound what is under way.
 * Where messages wait for their key the window is wider, by `worker_parked_limit` at most, and has grown to that before the counting
 * begins.
 */

const POLL_MS = 5
/** Nobody takes longer than that to settle what has to be seen. */
const PATIENCE_MS = 60_000

/** Lets the worker run some tasks, and waits until none is ready. */
export async function warmUp(
  stand: Stand,
  { queue, worker }: Workplace,
  messages: Iterable<BenchMessage>,
): Promise<void> {
  const { desk, signal } = stand
  await desk.fill(queue, messages)
  await whenEmpty(stand, { queue, worker })
  // What it has in hand still ends.
  await setTimeout(100, undefined, { signal })
}

export async function whenEmpty(
  { desk, signal }: Stand,
  { queue, worker }: Pick<Workplace, 'queue' | 'worker'>,
): Promise<void> {
  const isEmpty = async (): Promise<boolean> => {
    worker.check()
    return (await desk.depth(queue)).ready === 0
  }
  await until(isEmpty, { signal, what: 'the queue to become empty', everyMs: 10 })
}

/** Fills the queue while the worker is halted, and lets it go on. */
export async function fillHalted(
  { desk }: Stand,
  { queue, worker }: Workplace,
  messages: Iterable<BenchMessage>,
): Promise<void> {
  worker.pause()
  await desk.fill(queue, messages)
  worker.resume()
}

/**
 * Fills the queue of a warm worker, and measures how fast it drains.
 * @param limitMs milliseconds after which the rest doesn't matter
 * @throws TooSmall if the backlog is gone too soon to be measured; Error if the worker does next to nothing
 */
export async function drain(
  stand: Stand,
  place: Workplace,
  messages: Iterable<BenchMessage>,
  limitMs = stand.scale.limitMs,
): Promise<Pace> {
  const { desk, signal } = stand
  const { queue, worker } = place
  worker.pause()
  await desk.fill(queue, messages)
  const { ready: all } = await desk.depth(queue)
  worker.resume()
  const begunMs = performance.now()
  const counts: Count[] = []
  for (;;) {
    worker.check()
    const { ready } = await desk.depth(queue)
    const atMs = performance.now()
    counts.push({ atMs, ready, cpuMs: worker.cpuMs() })
    if (isOver(counts, all) || (hasEnough(counts, all) && atMs - begunMs > limitMs)) return pace(counts, all)
    if (atMs - begunMs > PATIENCE_MS) throw new Error(`only ${all - ready} of ${all} tasks were settled in a minute`)
    await setTimeout(POLL_MS, undefined, { signal })
  }
}
