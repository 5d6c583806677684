import { rate } from '../settings/rate.js'
import {
  anyText,
  array,
  classes,
  date,
  either,
  offset,
  oneOf,
  orNull,
  positiveSeconds,
  seconds,
  shortText,
  text,
  toggle,
  whole,
} from './optionChecks.js'
import { type Check, type OptionTable, optionFaults } from './options.js'
import { compileOrderBy } from './orderKey.js'
import { compression, serializer } from './sendOptions.js'
import { paramsFault } from './signature.js'
import type { TaskOptions } from './taskOptions.js'

const orderBy: Check = (value) => {
  if (typeof value === 'function') return null
  const expected = "a path such as 'kwargs.event.build_id', or a function of the message"
  if (typeof value !== 'string') return expected
  try {
    compileOrderBy(value)
    return null
  } catch {
    return expected
  }
}

const rateLimit: Check = (value) => {
  const expected = "a rate such as '10/s', '10/m', '0.5/h' or a number a second"
  if (value !== null && typeof value !== 'string' && typeof value !== 'number') return expected
  try {
    rate(value)
    return null
  } catch {
    return expected
  }
}

const schema: Check = (value) => {
  // Some libraries' schemas are functions.
  const standard = (value as { '~standard'?: { validate?: unknown } } | null)?.['~standard']
  return typeof standard?.validate === 'function' ? null : 'a Standard Schema, such as one of zod or valibot'
}

const RETRY_KWARGS: OptionTable = {
  checks: { countdown: seconds, maxRetries: orNull(whole(0)) },
  elsewhere: { eta: 'a retry by itself is due after a countdown' },
}

const retryKwargs: Check = (value) => {
  const [fault] = optionFaults(value, RETRY_KWARGS)
  return fault === undefined ? null : `{ countdown, maxRetries }, but ${fault}`
}

/** The checks of a task's options. For options of Celery that are missing here, it says what to use instead. */
export const TASK_OPTIONS: OptionTable & { readonly checks: Readonly<Record<keyof TaskOptions, Check>> } = {
  checks: {
    bind: toggle,
    params: paramsFault,
    kwargs: toggle,
    acksLate: toggle,
    schema,
    acksOnFailureOrTimeout: toggle,
    rejectOnWorkerLost: toggle,
    maxRetries: orNull(whole(0)),
    defaultRetryDelay: seconds,
    autoretryFor: classes,
    dontAutoretryFor: classes,
    retryKwargs,
    retryBackoff: either(toggle, seconds),
    retryBackoffMax: positiveSeconds,
    retryJitter: toggle,
    throws: classes,
    queue: shortText,
    exchange: anyText,
    routingKey: anyText,
    priority: whole(0, 255),
    serializer,
    compression,
    expires: either(offset, date),
    ignoreResult: toggle,
    storeErrorsEvenIfIgnored: toggle,
    trackStarted: toggle,
    sendEvents: toggle,
    rateLimit,
    timeLimit: orNull(positiveSeconds),
    softTimeLimit: orNull(positiveSeconds),
    orderBy,
    pauseWhileOpen: either(
      text,
      (value) =>
        array(value) ?? ((value as unknown[]).every((name) => text(name) === null) ? null : 'names of breakers'),
    ),
    orderOnFailure: oneOf('release', 'block'),
  },
  elsewhere: {
    name: 'the name is the first argument of app.task',
    countdown: 'give it when the task is sent',
    eta: 'give it when the task is sent',
    headers: "give them when the task is sent, or to all messages with app.on('beforeTaskPublish', ...)",
    backend: 'give it in the setting result_backend',
    base: 'there are no task classes; share code by functions, or put it around all handlers with app.use',
    typing: 'arguments are always checked; list them in params',
    pydantic: 'give a schema',
    onSuccess: "do it at the end of the handler, or for all tasks with app.on('taskSuccess', ...)",
    onFailure: "do it in a catch of the handler, or for all tasks with app.on('taskFailure', ...)",
    onRetry: "do it before the handler throws self.retry(), or for all tasks with app.on('taskRetry', ...)",
    concurrency: 'the slots are those of the worker: -c/--concurrency, or a queue with a worker of its own',
    retries: 'write maxRetries',
    retry: 'write maxRetries and autoretryFor',
    retryDelay: 'write defaultRetryDelay, in seconds',
    timeout: 'write timeLimit, in seconds',
    args: 'the arguments come with the message; name them in params',
    resultExpires: 'give it in the setting result_expires',
  },
}
