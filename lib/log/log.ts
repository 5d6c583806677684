import type { Writable } from 'node:stream'
import type { Logform, Logger as Winston } from 'winston'
import { coerceError, textOf } from '../errors.js'
import { lazily } from '../lazily.js'
import type { Logger, LogLevel } from '../ports.js'
import { maskSecrets } from '../settings/mask.js'
import type { LogEntry } from './entry.js'
import { jsonLine, LEVEL_NUMBERS, type LineTemplate, template } from './line.js'
import { isOfTask, plainText, printableText } from './text.js'
import { WatchedFile } from './watchedFile.js'

const library = lazily<typeof import('winston')>('winston')

/** Celery's colours. */
const COLORS: Readonly<Partial<Record<LogLevel, string>>> = {
  DEBUG: '\x1b[1;34m',
  WARNING: '\x1b[1;33m',
  ERROR: '\x1b[1;31m',
  CRITICAL: '\x1b[1;35m',
}
const COLOR_OFF = '\x1b[0m'

export interface LogOptions {
  /** Lowest level that is written. */
  readonly level: LogLevel
  /** Format: Celery's lines, or one JSON object per line. */
  readonly format: 'celery' | 'json'
  /** File to append to; stderr if absent. */
  readonly logfile?: string | null
  /** True to colour lines by level; only ever on a terminal. */
  readonly color: boolean
  /** `worker_log_format`. */
  readonly template: string
  /** `worker_task_log_format`, for entries whose facts have `task_name` and `task_id`. */
  readonly taskTemplate?: string
  /** Secrets that are masked in every line. */
  readonly secrets: readonly string[]
  /** Stream to write to instead of stderr. */
  readonly stream?: Writable
}

export interface Log {
  /** Returns a logger whose lines have this name. */
  logger(scope?: string): Logger
  /**
   * Makes the next line check whether the log file was renamed or removed, rather than the first one of the next
   * second.
   */
  reopen(): void
  /** Resolves when all lines are with the operating system; later lines are dropped. */
  close(): Promise<void>
}

/**
 * Opens the log: lines as in Celery, or JSON. Only this module uses winston, with one transport and one formatting
 * pass. A log file may be renamed or removed meanwhile: then the path is opened again. If it can't be written to later,
 * stderr says so, once for each reason, and the worker continues. If its disk hangs, lines are dropped, and the log says
 * how many once it goes on.
 * @throws the file system's error if the file can't be opened
 */
export function createLog(options: LogOptions): Log {
  const { logfile } = options
  let told = ''
  const onFault = ({ message }: Error): void => {
    if (logfile && message !== told) process.stderr.write(`The log file ${logfile} can't be written: ${message}\n`)
    told = message
  }
  const file = logfile ? new WatchedFile(logfile, onFault, onDropped) : null
  const stream: Writable = file ?? options.stream ?? process.stderr
  stream.on('error', onFault)
  const { createLogger, transports } = library()
  const winston = createLogger({
    levels: { CRITICAL: 0, ERROR: 1, WARNING: 2, INFO: 3, DEBUG: 4 },
    level: options.level === 'FATAL' ? 'CRITICAL' : options.level,
    format: lineFormat(options, stream),
    transports: [new transports.Stream({ stream, eol: '\n' })],
    exitOnError: false,
  })
  const logger = (scope = 'celeriac'): Logger => new ScopedLogger(winston, scope, LEVEL_NUMBERS[options.level])
  function onDropped(lines: number): void {
    logger().warning(`${lines} log lines were dropped: the disk of ${logfile} did not take them in time`)
  }
  let closing: Promise<void> | null = null
  return {
    logger,
    reopen: () => file?.reopen(),
    close: () => {
      closing ??= end(winston)
        .then(() => (file ? end(file) : undefined))
        .catch((thrown) => onFault(coerceError(thrown)))
        .finally(() => {
          // Others write to a stream that isn't ours, and may open another log on it.
          if (!file) stream.off('error', onFault)
        })
      return closing
    },
  }
}

function end(stream: Pick<Writable, 'end' | 'once'>): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('finish', resolve)
    stream.once('error', reject)
    stream.end()
  })
}

function lineFormat(options: LogOptions, stream: Writable): Logform.Format {
  const { secrets } = options
  const plain = template(options.template, secrets)
  const ofTask = options.taskTemplate === undefined ? plain : template(options.taskTemplate, secrets)
  const line: LineTemplate =
    options.format === 'json' ? jsonLine(secrets) : (entry) => (isOfTask(entry) ? ofTask(entry) : plain(entry))
  const isTerminal = 'isTTY' in stream && stream.isTTY === true
  const colors = options.color && isTerminal && options.format === 'celery' ? COLORS : {}
  return library().format.printf((info) => {
    // Entries come from ScopedLogger.write only.
    const entry = info as unknown as LogEntry
    const color = colors[entry.level]
    const text = options.format === 'json' ? plainText(entry, secrets) : printableText(entry, secrets)
    const message = color === undefined ? text : `${color}${text}${COLOR_OFF}`
    return maskSecrets(safeLine(line, { ...entry, message }), secrets)
  })
}

/** Writes the line without its facts if they throw when they are read. */
function safeLine(line: LineTemplate, entry: LogEntry): string {
  try {
    return line(entry)
  } catch {
    return line({ ...entry, facts: undefined })
  }
}

class ScopedLogger implements Logger {
  constructor(
    private readonly winston: Winston,
    private readonly scope: string,
    private readonly threshold: number,
  ) {}

  debug(message: string, facts?: Record<string, unknown>): void {
    if (this.threshold <= LEVEL_NUMBERS.DEBUG) this.write('DEBUG', message, facts)
  }

  info(message: string, facts?: Record<string, unknown>): void {
    if (this.threshold <= LEVEL_NUMBERS.INFO) this.write('INFO', message, facts)
  }

  warning(message: string, facts?: Record<string, unknown>): void {
    if (this.threshold <= LEVEL_NUMBERS.WARNING) this.write('WARNING', message, facts)
  }

  error(message: string, facts?: Record<string, unknown>): void {
    if (this.threshold <= LEVEL_NUMBERS.ERROR) this.write('ERROR', message, facts)
  }

  critical(message: string, facts?: Record<string, unknown>): void {
    this.write('CRITICAL', message, facts)
  }

  isEnabled(level: LogLevel): boolean {
    return this.threshold <= LEVEL_NUMBERS[level]
  }

  private write(level: LogLevel, message: string, facts: Record<string, unknown> | undefined): void {
    if (!this.winston.writable) return
    // In JavaScript anything can be logged.
    const text = typeof message === 'string' ? message : textOf(message)
    this.winston.log({ level, message: text, scope: this.scope, at: Date.now(), facts })
  }
}
