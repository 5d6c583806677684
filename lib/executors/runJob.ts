import { constants } from 'node:os'
import type { HookName } from '../app/hooks/hookArguments.js'
import type { Hooks } from '../app/hooks/hooks.js'
import { TimeLimitExceeded, WorkerLostError } from '../app/limitErrors.js'
import type { BreakerState } from '../breaker.js'
import { coerceError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { Request } from '../request/request.js'
import type { Outcome } from '../trace/outcome.js'
import { requestInfo } from '../trace/trace.js'
import { activeCarrier } from '../tracing.js'
import type { Child } from './child.js'
import { hardLimitText, type RunHooks, softLimitText, tooLate } from './executor.js'
import {
  type JobEnd,
  type LoggedLevel,
  type LogLine,
  packError,
  packInfo,
  type StateToStore,
  unpackOutcome,
} from './messages.js'
import { unpack } from './parcel.js'

/** Milliseconds that a task may take after it was told to end, before its child is killed. */
const LAST_WORDS_MS = 1000

const BEFORE: readonly HookName[] = ['taskPrerun']
const AFTER: readonly HookName[] = ['taskSuccess', 'taskFailure', 'taskRetry', 'taskPostrun']

const METHODS = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warning',
  ERROR: 'error',
  CRITICAL: 'critical',
} as const satisfies Record<LoggedLevel, keyof Logger>
const LEVELS = Object.keys(METHODS) as LoggedLevel[]

export interface JobOptions {
  readonly number: number
  /** Node name. */
  readonly hostname: string
  /** Present state of the worker's breakers. */
  readonly breakers: Readonly<Record<string, BreakerState>>
  /** Hooks of the app; null if none is to be called for the run. */
  readonly hooks: Hooks | null
  readonly clock: Clock
  /** The worker's log. */
  readonly log: Logger
  /** Called when the child has ended the job by itself, and lives. */
  onDone(end: JobEnd): void
  /** Called when the job couldn't even be sent. */
  onUnsent(): void
  /** Sets the function to call when the child dies. */
  onLost(fn: (how: string) => void): void
  /** Kills the child. */
  kill(): void
}

/**
 * Runs a request in a free child, and supervises it: time limits, requests to end, the child's death. Never throws, and
 * resolves at once when the hard limit has passed, whatever the child does.
 */
export function runJob(request: Request, child: Child, hooks: RunHooks, options: JobOptions): Promise<Outcome> {
  const { clock, log, number } = options
  const startedAt = clock.monotonic()
  const runtimeMs = (): number => clock.monotonic() - startedAt
  const timers: Timer[] = []
  const limits: Timer[] = []
  const after = (ms: number, fn: () => void): void => void timers.push(clock.setTimer(fn, ms))
  const { signal } = request
  request.startedAt = startedAt
  request.pid = child.pid
  hooks.onStart()

  return new Promise((resolve) => {
    let ended = false
    const end = (outcome: Outcome): void => {
      if (ended) return
      ended = true
      for (const timer of [...timers, ...limits]) timer.cancel()
      signal.removeEventListener('abort', onAbort)
      resolve(outcome)
    }
    const onAbort = (): void => {
      const { isOver } = request
      child.send({ type: 'abort', job: number, error: packError(coerceError(signal.reason)), isOver })
      if (request.terminatedBy === constants.signals.SIGKILL) options.kill()
      else after(LAST_WORDS_MS, options.kill)
    }
    const store = async ({ job, call, state, meta }: StateToStore): Promise<void> => {
      const storing = job === number ? hooks.updateState(state, unpack(meta)) : Promise.reject(tooLate(state))
      const error = await storing.then(
        () => null,
        (thrown) => packError(coerceError(thrown)),
      )
      child.send({ type: 'stored', job, call, error })
    }

    child.onMessage = (message) => {
      if (message.type === 'log') writeLine(message.job === null || message.job === number ? hooks.log : log, message)
      else if (message.type === 'begun') watch(0)
      else if (message.type === 'ended') watch(patience(options.hooks, AFTER), false)
      else if (message.type === 'store' && !ended) void store(message)
      else if (message.type === 'done') {
        options.onDone(message.end)
        request.failureTold = message.end.outcome.state === 'FAILURE'
        // One by one: a call can't take as many arguments as a task can send messages. A job that has ended before, at
        // its hard limit, may be stored already.
        if (!ended) for (const sent of message.end.children) request.children.push(sent)
        end(outcomeOf(message.end))
      }
    }
    options.onLost((how) => {
      const error = signal.aborted ? coerceError(signal.reason) : lost(how, number)
      if (signal.aborted) end({ state: 'ABORTED', error, runtimeMs: runtimeMs() })
      else end({ state: 'FAILURE', kind: 'lost', error, runtimeMs: runtimeMs() })
    })
    // Hooks have a time limit of their own, and the task's limits begin with the handler; a hook that blocks its child
    // is ended only by these.
    const watch = (graceMs: number, withSoft = true): void => {
      const { soft, hard } = hooks.limits
      for (const timer of limits.splice(0)) timer.cancel()
      if (ended) return
      if (withSoft && soft !== null && (hard === null || soft < hard)) {
        const onSoft = (): void => {
          log.warning(softLimitText(soft, request.label))
          child.send({ type: 'soft-limit', job: number, seconds: soft })
        }
        limits.push(clock.setTimer(onSoft, soft * 1000 + graceMs))
      }
      if (hard === null) return
      const onHard = (): void => {
        log.error(hardLimitText(hard, request.label))
        end({ state: 'FAILURE', kind: 'timeout', error: new TimeLimitExceeded(hard), runtimeMs: runtimeMs() })
        options.kill()
      }
      limits.push(clock.setTimer(onHard, hard * 1000 + graceMs))
    }
    request.failureTold = false
    watch(patience(options.hooks, BEFORE))
    signal.addEventListener('abort', onAbort, { once: true })
    const levels = LEVELS.filter((level) => hooks.log.isEnabled(level))
    try {
      const info = packInfo(requestInfo(request, options.hostname))
      const { breakers } = options
      const hooked = options.hooks !== null
      child.send({ type: 'run', job: { number, info, carrier: activeCarrier(), breakers, levels, hooked } })
    } catch (thrown) {
      // Arguments of a retry in this process may be of any kind, such as a circular reference.
      options.onUnsent()
      end({ state: 'FAILURE', kind: 'unexpected', error: coerceError(thrown), runtimeMs: 0 })
    }
  })
}

/** Returns the milliseconds that these hooks of a run may take. */
function patience(hooks: Hooks | null, names: readonly HookName[]): number {
  return hooks === null ? 0 : names.reduce((sum, name) => sum + hooks.count(name) * hooks.timeoutMs, 0)
}

function outcomeOf({ outcome }: JobEnd): Outcome {
  try {
    return unpackOutcome(outcome)
  } catch (thrown) {
    return { state: 'FAILURE', kind: 'unexpected', error: coerceError(thrown), runtimeMs: outcome.runtimeMs }
  }
}

/** Writes a log line of a child. */
export function writeLine(log: Logger, { level, message, facts }: LogLine): void {
  const known = (unpack(facts) ?? {}) as Record<string, unknown>
  log[METHODS[level]](message, known)
}

function lost(how: string, number: number): Error {
  return new WorkerLostError(`Worker exited prematurely: ${how} Job: ${number}.`)
}
