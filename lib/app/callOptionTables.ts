import { constants } from 'node:os'
import {
  abortSignal,
  array,
  date,
  either,
  fn,
  milliseconds,
  offset,
  orNull,
  plainObject,
  positiveSeconds,
  seconds,
  shortText,
  text,
  toggle,
  whole,
} from './optionChecks.js'
import type { OptionTable } from './options.js'

const NO_LIMITS = 'limits belong to the task: app.task(name, { timeLimit, softTimeLimit }, handler)'

/** Options of `self.retry` and `Retry`. */
export const RETRY_OPTIONS: OptionTable = {
  checks: {
    countdown: offset,
    eta: date,
    // `exc` may be any caught value.
    exc: () => null,
    maxRetries: orNull(whole(0)),
    args: array,
    kwargs: plainObject,
    queue: shortText,
    priority: whole(0, 255),
    expires: either(offset, date),
    headers: plainObject,
  },
  elsewhere: {
    throw: 'write throw self.retry(...)',
    delay: 'write countdown, in seconds',
    timeLimit: NO_LIMITS,
    softTimeLimit: NO_LIMITS,
  },
}

/** Options of `self.addToChord`. */
export const ADD_OPTIONS: OptionTable = { checks: { lazy: toggle }, elsewhere: {} }

/** Options of `self.updateState`. */
export const STATE_OPTIONS: OptionTable = { checks: { state: text, meta: () => null }, elsewhere: {} }

const WAITING = { timeout: seconds, interval: positiveSeconds, signal: abortSignal }

/** Options of `AsyncResult.states`. */
export const STATES_OPTIONS: OptionTable = {
  checks: WAITING,
  elsewhere: { propagate: 'a failure is reported as a state' },
}

/** Options of `AsyncResult.get`. */
export const GET_OPTIONS: OptionTable = {
  checks: { ...WAITING, propagate: toggle },
  elsewhere: {
    disableSyncSubtasks: 'waiting inside a task is allowed; its slot stays taken meanwhile',
    noAck: 'results are always taken',
  },
}

/** Options of `revoke`. */
export const REVOKE_OPTIONS: OptionTable = {
  checks: {
    terminate: toggle,
    signal: (value) =>
      typeof value === 'string' && Object.hasOwn(constants.signals, value)
        ? null
        : "a signal's name, such as 'SIGTERM'",
  },
  elsewhere: {
    destination: 'all workers are told',
    reply: 'no reply is waited for; `celeriac control revoke` shows them',
    wait: 'no reply is waited for; `celeriac control revoke` shows them',
  },
}

/** Options of `app.breaker`. */
export const BREAKER_OPTIONS: OptionTable = {
  checks: {
    errorThresholdPercentage: (value) =>
      offset(value) === null && (value as number) >= 0 && (value as number) <= 100
        ? null
        : 'a percentage from 0 to 100',
    windowMs: (value) =>
      milliseconds(value) === null && (value as number) >= 10 ? null : 'a number of milliseconds, at least 10',
    volumeThreshold: whole(0),
    resetTimeoutMs: milliseconds,
    isFailure: fn,
  },
  elsewhere: {
    timeout: 'give the call a time limit of its own, such as AbortSignal.timeout()',
    errorFilter: 'write isFailure, which is true for what counts',
    resetTimeout: 'write resetTimeoutMs, in milliseconds',
    rollingCountTimeout: 'write windowMs, in milliseconds',
  },
}
