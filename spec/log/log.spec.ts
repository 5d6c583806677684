import { execFileSync } from 'node:child_process'
import { constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it, jest } from '@jest/globals'
import { createLog, type LogOptions } from '../../lib/log/log.js'
import type { Logger } from '../../lib/ports.js'
import { growthOf } from '../support/growth.js'
import { waitFor } from '../support/waitFor.js'

const TEMPLATE = '[%(asctime)s: %(levelname)s/%(processName)s] %(message)s'
const TASK_TEMPLATE = '[%(levelname)s/%(processName)s] %(task_name)s[%(task_id)s]: %(message)s'

/** What `write` makes appear, line by line. */
async function linesOf(
  write: (logger: Logger) => void,
  options: Partial<LogOptions> = {},
  scope?: string,
): Promise<string[]> {
  const stream = Object.assign(new PassThrough(), { isTTY: options.color === true })
  const log = createLog({
    level: 'INFO',
    format: 'celery',
    color: false,
    template: TEMPLATE,
    taskTemplate: TASK_TEMPLATE,
    secrets: [],
    stream,
    ...options,
  })
  write(log.logger(scope))
  await log.close()
  return String(stream.read() ?? '')
    .split('\n')
    .slice(0, -1)
}

describe('the log', () => {
  it("writes Celery's lines", async () => {
    jest.useFakeTimers({ now: new Date(2026, 10, 24, 8, 47, 43, 28), doNotFake: ['nextTick', 'setImmediate'] })
    const lines = linesOf((logger) => logger.info('Task tasks.add[id1] received'))
    jest.useRealTimers()
    expect(await lines).toEqual(['[2026-11-24 08:47:43,028: INFO/MainProcess] Task tasks.add[id1] received'])
  })

  it('fills in the fields of another format', async () => {
    const template = '%(levelname)-8s|%(levelno)d|%(name)s|%(process)d|%(funcName)s|100%%|%(message)s.'
    expect(await linesOf((logger) => logger.error('no'), { template }, 'consumer')).toEqual([
      `ERROR   |40|consumer|${process.pid}|???|100%|no.`,
    ])
  })

  it('fills a number up with zeros where its format says so', async () => {
    jest.useFakeTimers({ now: new Date(2026, 10, 24, 8, 47, 43, 28), doNotFake: ['nextTick', 'setImmediate'] })
    const lines = linesOf((logger) => logger.info('x'), { template: '%(msecs)03d|%(msecs)5d|%(levelname)06s' })
    jest.useRealTimers()
    expect(await lines).toEqual(['028|   28|  INFO'])
  })

  it('writes the stack of an error on the lines that follow', async () => {
    const error = Object.assign(new Error('boom'), { stack: 'Error: boom\n    at here' })
    const template = '%(message)s'
    expect(await linesOf((logger) => logger.error('failed', { error }), { template })).toEqual([
      'failed',
      'Error: boom',
      '    at here',
    ])
  })

  it('writes the causes of an error behind it, each once', async () => {
    const cause: Error = Object.assign(new Error('refused'), { stack: 'Error: refused\n    at there' })
    const error = Object.assign(new TypeError('fetch failed', { cause }), {
      stack: 'TypeError: fetch failed\n    at here',
    })
    cause.cause = error
    const say = (logger: Logger): void => logger.error('failed', { error })
    expect(await linesOf(say, { template: '%(message)s' })).toEqual([
      'failed',
      'TypeError: fetch failed',
      '    at here',
      'Caused by: Error: refused',
      '    at there',
    ])
    const [line = ''] = await linesOf(say, { format: 'json' })
    expect(JSON.parse(line).error).toEqual({
      name: 'TypeError',
      message: 'fetch failed',
      stack: 'TypeError: fetch failed\n    at here',
      cause: { name: 'Error', message: 'refused', stack: 'Error: refused\n    at there' },
    })
  })

  it('lets nothing that others send begin a line, move the cursor or turn a text around', async () => {
    const template = '%(message)s'
    const forged = 'x]\n[2026-11-28 00:00:00,000: INFO/MainProcess] Task paid[1] succeeded\r\u001b[2J\u009b\u202e'
    const error = Object.assign(new Error('boom'), { stack: `Error: a\nb\u001b[0m\n    at f (x.js:1:1)` })
    const lines = await linesOf(
      (logger) => {
        logger.info(`Task t[${forged}] received`)
        logger.error('first', { details: '\nsecond\u0007' })
        logger.error('failed', { error })
      },
      { template },
    )
    expect(lines).toEqual([
      'Task t[x]\\n[2026-11-28 00:00:00,000: INFO/MainProcess] Task paid[1] succeeded\\r\\x1b[2J\\x9b\\u202e] received',
      'first',
      'second\\x07',
      'failed',
      'Error: a',
      '    b\\x1b[0m',
      '    at f (x.js:1:1)',
    ])
  })

  it("leaves the lines of a task's own text, whatever their length, but no escapes", async () => {
    const facts = { task_name: 'tasks.add\n', task_id: 'i\u001bd' }
    const long = 'x'.repeat(30_000)
    const options = { taskTemplate: '%(task_name)s[%(task_id)s]: %(message)s' }
    expect(await linesOf((logger) => logger.info(`a\n\tb\u001b${long}`, facts), options)).toEqual([
      'tasks.add\\n[i\\x1bd]: a',
      `\tb\\x1b${long}`,
    ])
  })

  it('quotes no more than some thousand characters of what is sent, and no half of a secret', async () => {
    const long = `${'x'.repeat(14_995)}hunter22${'y'.repeat(10_000_000)}`
    for (const format of ['celery', 'json'] as const) {
      const [line = ''] = await linesOf(
        (logger) => logger.info(`Task t[${long}] received`, { reason: long, details: '' }),
        { format, secrets: ['hunter22'] },
      )
      expect(line.length).toBeLessThan(format === 'json' ? 42_000 : 21_000)
      expect(line).toContain('] received')
      expect(line).not.toContain('hunter')
    }
  })

  it('leaves no half of a secret where it cuts a fact or a stack', async () => {
    const long = `${'x'.repeat(14_993)}hunter22${'y'.repeat(10_000)}`
    const error = Object.assign(new Error('boom'), { stack: long })
    for (const format of ['celery', 'json'] as const) {
      const lines = await linesOf((logger) => logger.error('failed', { reason: long, error }), {
        format,
        secrets: ['hunter22'],
      })
      expect(lines.join('')).toContain('x**y')
      expect(lines.join('')).not.toContain('hunter')
    }
  })

  it('keeps the frames of a stack whose text is cut', async () => {
    const error = Object.assign(new Error('boom'), { stack: `Error: ${'x'.repeat(100_000)}\n    at f (x.js:1:1)` })
    const lines = await linesOf((logger) => logger.error('failed', { error }), { template: '%(message)s' })
    expect(lines.at(-1)).toBe('    at f (x.js:1:1)')
    expect(lines.join('').length).toBeLessThan(21_000)
  })

  it('takes no longer than its line is long, with beginnings of URLs in it too', async () => {
    const lines = (size: number): string => `a.b://u:${':@a.b://c'.repeat(size)}`
    const stream = new PassThrough().resume()
    const log = createLog({ level: 'INFO', format: 'celery', color: false, template: TEMPLATE, secrets: [], stream })
    expect(growthOf((line: string) => log.logger().info(line), lines, 10_000)).toBeLessThan(4)
    await log.close()
  })

  it("uses the tasks' format for entries that name their task", async () => {
    const facts = { task_name: 'tasks.add', task_id: 'id1' }
    expect(await linesOf((logger) => logger.warning('hello', facts))).toEqual([
      '[WARNING/MainProcess] tasks.add[id1]: hello',
    ])
  })

  it('writes an object a line, whose own fields no fact can replace', async () => {
    const facts = { queue: 'q', level: 'x', big: 10n, error: new TypeError('bad') }
    const [line = ''] = await linesOf((logger) => logger.critical('two\nlines', facts), { format: 'json' }, 'consumer')
    const { time, error, ...rest } = JSON.parse(line)
    expect(rest).toEqual({ level: 'CRITICAL', logger: 'consumer', message: 'two\nlines', queue: 'q', big: '10' })
    expect(new Date(time).toISOString()).toBe(time)
    expect(error).toMatchObject({ name: 'TypeError', message: 'bad' })
    expect(Object.keys(JSON.parse(line)).slice(0, 4)).toEqual(['time', 'level', 'logger', 'message'])
  })

  it('writes facts that JSON has no words for', async () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const [line = ''] = await linesOf((logger) => logger.info('round', { circle }), { format: 'json' })
    expect(JSON.parse(line)).toMatchObject({ message: 'round', facts: expect.stringContaining('Circular') })
  })

  it('leaves out what is below its level, at the price of a comparison', async () => {
    const template = '%(levelname)s'
    const say = (logger: Logger): void => {
      for (const level of ['debug', 'info', 'warning', 'error', 'critical'] as const) logger[level]('x')
    }
    expect(await linesOf(say, { template, level: 'WARNING' })).toEqual(['WARNING', 'ERROR', 'CRITICAL'])
    expect(await linesOf(say, { template, level: 'FATAL' })).toEqual(['CRITICAL'])
    expect(await linesOf(say, { template, level: 'DEBUG' })).toEqual(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'])
    const rendered = jest.fn()
    const facts = Object.defineProperty({}, 'x', { enumerable: true, get: rendered })
    await linesOf((logger) => logger.debug('x', facts), { format: 'json', level: 'INFO' })
    expect(rendered).not.toHaveBeenCalled()
    await linesOf((logger) => logger.debug('x', facts), { format: 'json', level: 'DEBUG' })
    expect(rendered).toHaveBeenCalled()
  })

  it('says which levels are on', async () => {
    await linesOf(
      (logger) => {
        expect(['DEBUG', 'INFO', 'WARNING', 'FATAL'].map((level) => logger.isEnabled(level as 'INFO'))).toEqual([
          false,
          false,
          true,
          true,
        ])
      },
      { level: 'WARNING' },
    )
  })

  it('masks secrets in every line of both formats', async () => {
    const options = { secrets: ['hunter22'], template: '%(message)s' }
    const say = (logger: Logger): void => logger.info('amqp://u:p@h and hunter22', { note: 'hunter22' })
    expect(await linesOf(say, options)).toEqual(['amqp://u:**@h and **'])
    const [line = ''] = await linesOf(say, { ...options, format: 'json' })
    expect(JSON.parse(line)).toMatchObject({ message: 'amqp://u:**@h and **', note: '**' })
  })

  it('colours the message on a terminal, and nowhere else', async () => {
    const template = '%(levelname)s %(message)s'
    const say = (logger: Logger): void => logger.error('x')
    expect(await linesOf(say, { template, color: true })).toEqual(['ERROR \x1b[1;31mx\x1b[0m'])
    const noTerminal = new PassThrough()
    await linesOf(say, { template, color: true, stream: noTerminal })
    expect(String(noTerminal.read())).toBe('ERROR x\n')
  })

  it('has all lines in the file once it is closed, and drops later ones', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'celeriac-log-'))
    const logfile = join(directory, 'worker.log')
    const log = createLog({
      level: 'INFO',
      format: 'celery',
      color: true,
      template: '%(message)s',
      secrets: [],
      logfile,
    })
    const logger = log.logger()
    for (let n = 0; n < 2000; n++) logger.info(`line ${n}`)
    await log.close()
    logger.info('too late')
    await log.close()
    const lines = readFileSync(logfile, 'utf8').trimEnd().split('\n')
    rmSync(directory, { recursive: true })
    expect(lines).toHaveLength(2000)
    expect(lines.at(-1)).toBe('line 1999')
  })

  it('drops what a disk that hangs would leave in memory, and says how much once it goes on', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'celeriac-log-'))
    const logfile = join(directory, 'worker.log')
    // Takes 64 KiB, and nothing more until somebody reads.
    execFileSync('mkfifo', [logfile])
    const disk = openSync(logfile, constants.O_RDWR | constants.O_NONBLOCK)
    const options = { level: 'INFO', format: 'celery', color: false, template: '%(message)s', secrets: [] } as const
    const log = createLog({ ...options, logfile })
    const logger = log.logger()
    for (let n = 0; n < 3000; n++) logger.info(`line ${n} ${'x'.repeat(10_000)}`)
    const reader = new Socket({ fd: disk, readable: true, writable: false })
    let text = ''
    reader.on('data', (chunk) => {
      text += chunk
    })
    await waitFor(() => text.includes('dropped'), { what: 'the log to say what is missing' })
    logger.info('the end')
    await log.close()
    await waitFor(() => text.endsWith('the end\n'), { what: 'the last line' })
    reader.destroy()
    rmSync(directory, { recursive: true })
    const lines = text.trimEnd().split('\n')
    const [said = ''] = lines.slice(-2)
    expect(said).toMatch(/^\d+ log lines were dropped: the disk of .*worker\.log did not take them in time$/)
    const kept = lines.length - 2
    expect(kept + Number.parseInt(said, 10)).toBe(3000)
    expect(lines.slice(0, kept).map((line) => line.split(' ')[1])).toEqual(
      Array.from({ length: kept }, (_, n) => `${n}`),
    )
    expect(text.length).toBeLessThan(17_500_000)
  })

  it('throws for a file that can not be opened', () => {
    const logfile = join(tmpdir(), 'celeriac-no-such-directory', 'worker.log')
    expect(() =>
      createLog({ level: 'INFO', format: 'celery', color: false, template: '', secrets: [], logfile }),
    ).toThrow('ENOENT')
  })
})
