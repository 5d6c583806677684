import { setTimeout } from 'node:timers/promises'
import { Celery, Retry, type TaskContext } from 'celeriac'
import { kindOf, orderKey } from './identity.js'
import { babysitId, type Hop, isBuildEvent, SHORT_RUNNING, type Sim, TASK } from './message.js'
import { type CoprEvent, handlerKwargs } from './payloads.js'
import { openTraceLog, type RunOutcome } from './traceLog.js'

/*
 * Packit's tasks with stand-ins for their work. Environment:
 *   PACKIT_QUEUE   the queue of both hops (short-running)
 *   PACKIT_ORDER   "off": no keys, as with Celery
 *   PACKIT_TRACE   the file to which begin and end of each run are appended
 */
const queue = process.env.PACKIT_QUEUE ?? SHORT_RUNNING
const log = openTraceLog(process.env.PACKIT_TRACE)
const RETRY_SECONDS = 0.05
/** The watchdog's messages have no event that could carry a hint. */
const BABYSIT_MS = 5

const options = {
  bind: true,
  acksLate: true,
  maxRetries: 5,
  orderBy: process.env.PACKIT_ORDER === 'off' ? undefined : orderKey,
} as const

type Hinted<T = object> = T & { readonly _sim: Sim }

const app = new Celery('packit', { task_default_queue: queue })

app.task(
  TASK.process,
  { ...options, params: ['event', 'source', 'event_type'] },
  (self: TaskContext, event: Hinted, _source: string, eventType: string) =>
    work(self, 1, event._sim, async () => {
      if (!isBuildEvent(eventType)) return
      const side = eventType === 'copr.build.start' ? 'start' : 'end'
      const kwargs = handlerKwargs(side, event as Hinted<CoprEvent>)
      const next = { ...kwargs, event: { ...(kwargs.event as object), _sim: event._sim } }
      // Confirmed before this task ends, and so before its message is acknowledged: a crash repeats the hop, and never loses it.
      await app.sendTask(TASK[side], [], next, { queue })
    }),
)

for (const name of [TASK.start, TASK.end]) {
  app.task(
    name,
    { ...options, params: ['package_config', 'job_config', 'event'] },
    (self: TaskContext, _packageConfig: unknown, _jobConfig: unknown, event: Hinted) => work(self, 2, event._sim),
  )
}

app.task(TASK.babysit, { ...options, params: ['build_id'] }, (self: TaskContext, build: number) =>
  work(self, 2, { id: babysitId(build), run_ms: BABYSIT_MS, fail: 0 }),
)

/** Works as long as the hint says, fails as often as it says, and leaves a trace. */
async function work(self: TaskContext, hop: Hop, sim: Sim, goOn?: () => Promise<void>): Promise<void> {
  const { request, signal } = self
  const facts = { hop, key: orderKey(request) ?? null, kind: kindOf(request), id: sim.id, retries: request.retries }
  const record = (type: 'begin' | 'end', outcome: RunOutcome | null): void =>
    log({ type, at: performance.timeOrigin + performance.now(), pid: process.pid, ...facts, outcome })
  record('begin', null)
  try {
    await setTimeout(sim.run_ms, undefined, { signal })
    if (request.retries < sim.fail) throw self.retry({ countdown: RETRY_SECONDS })
    await goOn?.()
  } catch (thrown) {
    record('end', signal.aborted ? 'aborted' : thrown instanceof Retry ? 'retry' : 'failure')
    throw thrown
  }
  record('end', 'success')
}

export default app
