import { beforeEach, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { AsyncResult } from '../../lib/app/asyncResult.js'
import { TaskContext } from '../../lib/app/context.js'
import type { SendOptions } from '../../lib/app/outlet.js'
import { Retry, type RetryOptions } from '../../lib/app/predicate.js'
import type { GetOptions } from '../../lib/app/result.js'
import type { Handler } from '../../lib/app/task.js'
import { Task } from '../../lib/app/task.js'
import type { TaskOptions } from '../../lib/app/taskOptions.js'
import type { BreakerOptions } from '../../lib/breaker.js'
import { systemClock } from '../../lib/clock.js'
import { MemoryBackend } from '../support/memoryBackend.js'
import { MemoryLog } from '../support/memoryLog.js'
import { OfflineApp } from '../support/offlineLine.js'

const handler = (): void => undefined

/** What JavaScript, or a spread in TypeScript, lets through. */
const loose = <T>(options: unknown): T => options as T

describe('options', () => {
  let app: OfflineApp

  beforeEach(() => {
    app = new OfflineApp('spec')
  })

  describe('of a task', () => {
    it('are all accepted as the guide has them', () => {
      const options: TaskOptions = {
        bind: false,
        kwargs: false,
        params: ['url', 'depth?'],
        schema: z.object({ url: z.string() }),
        acksLate: true,
        acksOnFailureOrTimeout: true,
        rejectOnWorkerLost: false,
        maxRetries: 5,
        defaultRetryDelay: 180,
        autoretryFor: [TypeError],
        dontAutoretryFor: [RangeError],
        retryKwargs: { countdown: 3, maxRetries: null },
        retryBackoff: true,
        retryBackoffMax: 600,
        retryJitter: true,
        throws: [EvalError],
        rateLimit: '10/m',
        timeLimit: 30,
        softTimeLimit: 20,
        ignoreResult: false,
        queue: 'q',
        exchange: 'e',
        routingKey: 'k',
        priority: 3,
        serializer: 'yaml',
        compression: 'gzip',
        expires: 60,
        storeErrorsEvenIfIgnored: false,
        trackStarted: true,
        sendEvents: false,
        orderBy: 'kwargs.event.build_id',
        orderOnFailure: 'block',
        pauseWhileOpen: ['koji'],
      }
      expect(() => app.task('all', options, (_url: string, _depth: number) => undefined)).not.toThrow()
      const absent = Object.fromEntries(Object.keys(options).map((name) => [name, undefined]))
      expect(() => app.task('absent', loose(absent), handler)).not.toThrow()
      const none: TaskOptions = { maxRetries: null, rateLimit: null, timeLimit: null, softTimeLimit: null }
      expect(() => app.task('none', none, handler)).not.toThrow()
    })

    it.each([
      [{ acks_late: true }, 'acks_late is not an option; did you mean acksLate?'],
      [{ max_retries: 3 }, 'max_retries is not an option; did you mean maxRetries?'],
      [{ order_by: 'kwargs.x' }, 'order_by is not an option; did you mean orderBy?'],
      [{ autoretry_for: [] }, 'autoretry_for is not an option; did you mean autoretryFor?'],
      [{ ackLate: true }, 'ackLate is not an option; did you mean acksLate?'],
      [{ ratelimit: '1/s' }, 'ratelimit is not an option; did you mean rateLimit?'],
      [{ countdown: 3 }, 'countdown is not an option here: give it when the task is sent'],
      [{ headers: { a: 1 } }, 'headers is not an option here: give them when the task is sent, or to all messages'],
      [
        { on_failure: handler },
        "on_failure is not an option here: do it in a catch of the handler, or for all tasks with app.on('taskFailure', ...)",
      ],
      [{ zzz: 1 }, 'zzz is not an option: expected one of bind, params, kwargs, acksLate,'],
      [{ constructor: 1 }, 'constructor is not an option'],
    ])('that do not exist are an error: %p', (options, text) => {
      expect(() => app.task('t.x', loose(options), handler)).toThrow(`task t.x: ${text}`)
    })

    it.each([
      [{ bind: 'yes' }, 'bind is'],
      [{ params: 'url' }, "params is 'url': expected a list of argument names"],
      [{ params: ['a b'] }, 'params is'],
      [{ params: ['*rest'] }, "such as ['url', 'depth?', '**options', '...rest']"],
      [{ params: ['...rest', 'a'] }, "expected the named ones first, then one '**options' at most"],
      [{ params: ['...rest', '**o'] }, "and one '...rest' at most as the last"],
      [{ params: ['**o', '**p'] }, "one '**options' at most"],
      [{ params: ['...o', '...p'] }, "one '...rest' at most"],
      [{ params: ['a', '**a'] }, 'expected names that are all different'],
      [{ params: ['**o?'] }, 'expected no ? behind what gathers arguments'],
      [{ params: ['a', 'a?'] }, 'expected names that are all different'],
      [{ params: ['a?', 'b'] }, 'expected no required name behind an optional one'],
      [{ acksLate: 1 }, 'acksLate is 1: expected true or false'],
      [{ acksLate: null }, 'acksLate is None: expected true or false'],
      [{ schema: {} }, 'expected a Standard Schema'],
      [{ maxRetries: -1 }, 'maxRetries is -1: expected a whole number of at least 0, or null'],
      [{ maxRetries: 1.5 }, 'maxRetries is 1.5'],
      [{ maxRetries: '3' }, "maxRetries is '3'"],
      [{ defaultRetryDelay: -1 }, 'defaultRetryDelay is -1: expected a number of seconds, not below 0'],
      [{ defaultRetryDelay: Number.NaN }, 'defaultRetryDelay is nan'],
      [{ autoretryFor: TypeError }, 'autoretryFor is <function TypeError>: expected a list of error classes'],
      [{ autoretryFor: ['TypeError'] }, "autoretryFor is ['TypeError']"],
      [{ dontAutoretryFor: [undefined] }, 'dontAutoretryFor is [None]'],
      [{ throws: [null] }, 'throws is [None]'],
      [{ retryKwargs: { max_retries: 3 } }, 'max_retries is not an option; did you mean maxRetries?'],
      [{ retryKwargs: { countdown: 'soon' } }, "countdown is 'soon'"],
      [{ retryBackoff: 'yes' }, "retryBackoff is 'yes'"],
      [{ retryBackoffMax: 0 }, 'retryBackoffMax is 0: expected a number of seconds above 0'],
      [{ rateLimit: '10 per minute' }, "rateLimit is '10 per minute': expected a rate such as '10/s'"],
      [{ rateLimit: -1 }, 'rateLimit is -1'],
      [{ timeLimit: '30' }, "timeLimit is '30': expected a number of seconds above 0, or null"],
      [{ timeLimit: 0 }, 'timeLimit is 0'],
      [{ softTimeLimit: 30, timeLimit: 20 }, 'softTimeLimit is 30: expected no more than timeLimit, which is 20'],
      [{ orderBy: 'event.id' }, "orderBy is 'event.id': expected a path such as 'kwargs.event.build_id'"],
      [{ orderBy: 5 }, 'orderBy is 5'],
      [{ orderOnFailure: 'stop' }, "orderOnFailure is 'stop': expected 'release' or 'block'"],
      [{ pauseWhileOpen: '' }, "pauseWhileOpen is ''"],
      [{ pauseWhileOpen: [5] }, 'pauseWhileOpen is [5]'],
      [{ serializer: 'pickle' }, "serializer is 'pickle': expected one of json, yaml, msgpack (pickle could run"],
      [{ compression: 'bzip2' }, "compression is 'bzip2': expected one that can be written here: gzip, brotli, or"],
      [{ priority: 256 }, 'priority is 256'],
    ])('of the wrong type or range are an error: %p', (options, text) => {
      expect(() => app.task('t.x', loose(options), handler)).toThrow(new RegExp(`^task t\\.x: .*${escaped(text)}`))
    })

    it('are all told at once', () => {
      expect(() => app.task('t', loose({ acks_late: 1, timeLimit: 'x', bind: 2 }), loose(undefined))).toThrow(
        /^task t: the handler must be a function.*; acks_late .*; timeLimit .*; bind .*$/,
      )
    })

    it('are an object, and stand before the handler', () => {
      expect(() => app.task('t', loose(null), handler)).toThrow('task t: the options are None: expected an object')
      expect(() => app.task('t', handler as Handler as never, loose({ acksLate: true }))).toThrow(
        'task t: the options come before the handler, as in app.task(name, options, handler)',
      )
      expect(() => app.task(loose(5), handler)).toThrow('a task needs a name')
    })
  })

  describe('of a message', () => {
    const sent = (options: unknown): Promise<unknown> => app.sendTask('t.x', [], {}, loose<SendOptions>(options))

    it.each([
      [{ task_id: 'x' }, 'task_id is not an option; did you mean taskId?'],
      [{ routing_key: 'x' }, 'routing_key is not an option; did you mean routingKey?'],
      [
        { link: [{ task: 'a' }] },
        "link is [{'task': 'a'}]: expected a signature, such as task.s(), or a list of those",
      ],
      [{ time_limit: 5 }, 'time_limit is not an option; did you mean timeLimit?'],
      [{ timeLimit: 5, softTimeLimit: 6 }, 'softTimeLimit is 6: expected no more than timeLimit, which is 5'],
      [{ timeLimit: 0 }, 'timeLimit is 0: expected a number of seconds above 0'],
      [{ serializer: 'pickle' }, "serializer is 'pickle': expected one of json, yaml, msgpack (pickle could run"],
      [{ serializer: 'raw' }, "serializer is 'raw': expected one of json, yaml, msgpack"],
      [{ serializer: 5 }, 'serializer is 5: expected one of'],
      [{ compression: 'xz' }, "compression is 'xz': expected one that can be written here: gzip, brotli, or zstd"],
      [{ stamps: ['a'] }, "stamps is ['a']: expected an object"],
      [{ stamped_headers: ['a'] }, 'stamped_headers is not an option here: write stamps: { name: value }'],
      [{ shadow: '' }, "shadow is '': expected a text that is not empty"],
      [{ root_id: 'a' }, 'root_id is not an option; did you mean rootId?'],
      [{ delivery_mode: 1 }, 'delivery_mode is not an option here: messages are always persistent'],
      [{ countdown: '5' }, "countdown is '5': expected a number of seconds"],
      [{ countdown: Number.POSITIVE_INFINITY }, 'countdown is inf'],
      [{ eta: 5 }, 'eta is 5: expected a Date that is a time'],
      [{ eta: new Date(Number.NaN) }, 'eta is <Invalid Date>'],
      [{ expires: 'tomorrow' }, "expires is 'tomorrow': expected a number of seconds, or a Date"],
      [{ priority: 256 }, 'priority is 256: expected a whole number from 0 to 255'],
      [{ queue: '' }, "queue is ''"],
      [{ taskId: 'x'.repeat(256) }, 'expected at most 255 bytes'],
      [{ headers: [] }, 'headers is []: expected an object'],
      [{ retry: 'no' }, "retry is 'no': expected true or false"],
      [{ retryPolicy: 3 }, 'retryPolicy is 3: expected { maxRetries, intervalStart, intervalStep, intervalMax }, but'],
      [{ retryPolicy: { max_retries: 3 } }, 'but max_retries is not an option; did you mean maxRetries?'],
      [{ retryPolicy: { maxRetries: -1 } }, 'but maxRetries is -1: expected a whole number of at least 0, or null'],
      [{ retryPolicy: { intervalMax: '1' } }, "but intervalMax is '1': expected a number of seconds, not below 0"],
      [{ retryPolicy: { retry_errors: [] } }, 'a message is tried again after a lost connection only'],
      ['id', "the options are 'id': expected an object"],
    ])('that are wrong are an error: %p', async (options, text) => {
      await expect(sent(options)).rejects.toThrow(TypeError)
      await expect(sent(options)).rejects.toThrow(text)
      const task = app.task('t.x', handler)
      await expect(task.applyAsync([], {}, loose(options))).rejects.toThrow(text)
    })

    it('that are right go on to be sent', async () => {
      const options: SendOptions = {
        taskId: 'x',
        queue: 'q',
        countdown: 5,
        eta: new Date(),
        expires: 5,
        priority: 3,
        headers: { a: 1 },
        exchange: '',
        routingKey: 'k',
        serializer: 'msgpack',
        compression: 'gzip',
        stamps: { a: 1 },
        timeLimit: 5,
        softTimeLimit: 5,
        shadow: 's',
        replyTo: 'r',
        rootId: 'r',
        parentId: 'p',
        ignoreResult: true,
        retry: true,
        retryPolicy: { maxRetries: null, intervalStart: 0, intervalStep: 0.5, intervalMax: 1 },
      }
      await expect(app.sendTask('t.x', [], {}, options)).rejects.toThrow('this app sends nothing')
    })

    it('come after a list of arguments and an object of keyword arguments', async () => {
      await expect(app.sendTask('t.x', loose('a'))).rejects.toThrow("t.x: the arguments are 'a': expected a list")
      await expect(app.sendTask('t.x', [], loose([1]))).rejects.toThrow(
        't.x: the keyword arguments are [1]: expected an object',
      )
      const task = app.task('t.y', (..._: readonly unknown[]) => null)
      for (const args of [{ args: [1] }, 'a']) {
        expect(() => app.signature('t.x', loose(args))).toThrow(/^t\.x: the arguments are .*: expected a list$/)
        expect(() => task.signature(loose(args))).toThrow(/^t\.y: the arguments are .*: expected a list$/)
        await expect(task.s().applyAsync(loose(args))).rejects.toThrow(/^t\.y: the arguments are .*: expected a list$/)
      }
      expect(() => app.signature('')).toThrow('signature needs the name of a task')
      const text = 'the keyword arguments are [1]: expected an object'
      expect(() => app.signature('t.x', [], loose([1]))).toThrow(text)
      expect(() => task.signature([], loose([1]))).toThrow(text)
      await expect(task.s().applyAsync([], loose([1]))).rejects.toThrow(text)
      await expect(app.sendTask(loose(undefined))).rejects.toThrow('sendTask needs the name of a task')
    })
  })

  describe('of a retry', () => {
    it.each([
      [{ max_retries: 3 }, 'max_retries is not an option; did you mean maxRetries?'],
      [{ countdown: '10' }, "countdown is '10': expected a number of seconds"],
      [{ eta: '2030-01-01' }, "eta is '2030-01-01': expected a Date that is a time"],
      [{ args: 'a' }, "args is 'a': expected a list"],
      [{ throw: false }, 'throw is not an option here: write throw self.retry(...)'],
      [{ delay: 5 }, 'delay is not an option here: write countdown, in seconds'],
    ])('that are wrong are an error: %p', (options, text) => {
      expect(() => new Retry(loose<RetryOptions>(options))).toThrow(`retry: ${text}`)
      expect(() => context().retry(loose<RetryOptions>(options))).toThrow(`retry: ${text}`)
    })

    it('may hold whatever was caught', () => {
      expect(context().retry({ exc: loose('a text') }).options.exc).toEqual(new Error('a text'))
    })

    it('that is one too many shows arguments of any kind', () => {
      expect(() => context([10n]).retry({ maxRetries: 0 })).toThrow("Can't retry t[id] args:(10,) kwargs:{}")
    })
  })

  it('of updateState are checked', async () => {
    await expect(context().updateState(loose('PROGRESS'))).rejects.toThrow(
      "updateState: the options are 'PROGRESS': expected an object",
    )
    await expect(context().updateState(loose({ status: 'PROGRESS' }))).rejects.toThrow('did you mean state?')
  })

  describe('of get', () => {
    const result = new AsyncResult('id', new MemoryBackend(), systemClock)

    it.each([
      [5000, 'get(5000): write get({ timeout: 5000 }), where the timeout is in seconds'],
      [{ timeout: '5' }, "get: timeout is '5': expected a number of seconds, not below 0"],
      [{ timeout: -1 }, 'get: timeout is -1'],
      [{ timeout: Number.NaN }, 'get: timeout is nan'],
      [{ timeOut: 5 }, 'get: timeOut is not an option; did you mean timeout?'],
      [{ interval: 0 }, 'get: interval is 0'],
      [{ propagate: 'no' }, "get: propagate is 'no'"],
    ])('that are wrong are an error, and nothing is waited for: %p', async (options, text) => {
      await expect(result.get(loose<GetOptions>(options))).rejects.toThrow(text)
    })
  })

  describe('of a breaker', () => {
    it.each([
      [{ timeout: 5 }, 'timeout is not an option here: give the call a time limit of its own'],
      [{ resetTimeout: 5 }, 'resetTimeout is not an option here: write resetTimeoutMs, in milliseconds'],
      [{ reset_timeout_ms: 5 }, 'reset_timeout_ms is not an option; did you mean resetTimeoutMs?'],
      [{ resetTimeoutMs: 2 ** 31 }, 'resetTimeoutMs is 2147483648'],
      [{ windowMs: 0 }, 'windowMs is 0'],
      [{ errorThresholdPercentage: 0.5 }, null],
      [{ errorThresholdPercentage: 101 }, 'errorThresholdPercentage is 101: expected a percentage from 0 to 100'],
      [{ volumeThreshold: 1.5 }, 'volumeThreshold is 1.5'],
      [{ isFailure: true }, 'isFailure is True: expected a function'],
    ])('that are wrong are an error: %p', (options, text) => {
      const make = (): unknown => app.breaker('b', async () => 1, loose<BreakerOptions>(options))
      if (text === null) expect(make).not.toThrow()
      else expect(make).toThrow(`breaker b: ${text}`)
    })

    it('come after a function', () => {
      expect(() => app.breaker('b', loose<() => void>(undefined))).toThrow('breaker b: the call must be a function')
    })
  })

  describe('of an app', () => {
    it.each([
      [{ broker: 'amqp://' }, "new Celery('x'): broker is not a setting; write broker_url"],
      [{ backend: 'rpc://' }, "new Celery('x'): backend is not a setting; write result_backend"],
      [
        { brokerUrl: 'amqp://', taskAcksLate: true },
        'brokerUrl is not a setting; write broker_url; taskAcksLate is not',
      ],
      ['amqp://', "expected settings, such as { broker_url: 'amqp://...' }"],
      [null, 'expected settings'],
    ])('that would leave it with the default are an error: %p', (conf, text) => {
      expect(() => new OfflineApp('x', loose(conf))).toThrow(text)
    })

    it('that Celery has and nobody knows here are no error', () => {
      expect(() => new OfflineApp('x', loose({ my_own: 1, beat_schedule: {}, BROKER_URL: 'amqp://' }))).not.toThrow()
      expect(() => new OfflineApp(loose({}))).toThrow('expected the name of the app')
    })
  })
})

function context(args: readonly unknown[] = []): TaskContext {
  const task = new Task('t', {}, handler)
  const request = { id: 'id', args, kwargs: {}, retries: 0 } as unknown as TaskContext['request']
  return new TaskContext(request, new AbortController().signal, new MemoryLog(), task, async () => undefined)
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
