import { resolve } from 'node:path'
import type { App } from '../app/app.js'
import { loadApp } from '../app/load.js'
import type { Broker } from '../broker/broker.js'
import { systemClock } from '../clock.js'
import { ConfigurationError, coerceError } from '../errors.js'
import { onlyWarnings } from '../log/onlyWarnings.js'
import type { Logger } from '../ports.js'
import { printable } from '../protocol/printable.js'
import { loadSettings } from '../settings/load.js'
import { maskSecrets, secretsOf } from '../settings/mask.js'
import type { Settings } from '../settings/table.js'
import { createBroker } from '../worker/brokers.js'
import type { Input } from './input.js'
import type { Io } from './io.js'
import { Output } from './output.js'

/** How often a command tries to reach the broker before it gives up. */
const MAX_RETRIES = 3

/** What every command except `worker` works with. */
export interface Client {
  /** The app; null without -A, which these commands don't require. */
  readonly app: App | null
  readonly settings: Settings
  /** The settings that were given explicitly. */
  readonly configured: ReadonlyMap<string, unknown>
  readonly version: string
  readonly io: Io
  readonly input: Input
  readonly output: Output
  /** Writes errors and warnings to stderr, and nothing else. */
  readonly log: Logger
  /**
   * Makes a broker.
   * @param keepsTrying whether only `broker_connection_max_retries` limits its attempts
   */
  broker(options?: { readonly log?: Logger; readonly keepsTrying?: boolean }): Broker
}

/** What the command line passes to a command. */
export interface Invocation {
  /** The global options, by the name of their row. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly version: string
  readonly io: Io
  readonly input: Input
}

/**
 * Collects what a command needs: the app if one is named, and its settings, overridden by flags and the environment.
 * @throws ConfigurationError with everything that is wrong
 */
export async function openClient({ flags, input, io, version }: Invocation): Promise<Client> {
  const { app: specifier, workdir } = loadSettings({ config: {}, env: io.env, flags }).settings
  if (workdir !== null) changeTo(workdir, io)
  const app = specifier === null ? null : await loadApp(specifier, io.cwd())
  const { configured, faults, settings } = loadSettings({ config: app?.conf ?? {}, env: io.env, flags })
  if (faults.length > 0) throw new ConfigurationError(faults)
  const output = new Output(io, { color: !settings.no_color, quiet: settings.quiet })
  const log = logTo(output, secretsOf(settings))
  return {
    app,
    settings,
    configured,
    version,
    io,
    input,
    output,
    log,
    broker: ({ log: told = log, keepsTrying = false } = {}) =>
      createBroker({
        settings,
        clock: systemClock,
        maxRetries: settings.broker_connection_max_retries ?? (keepsTrying ? null : MAX_RETRIES),
        log: () => told,
      }),
  }
}

function logTo(output: Output, secrets: readonly string[]): Logger {
  return onlyWarnings((message, { details = '' } = {}) =>
    output.error(maskSecrets(`${printable(message)}${details}`, secrets)),
  )
}

function changeTo(workdir: string, io: Io): void {
  try {
    io.chdir(resolve(io.cwd(), workdir))
  } catch (thrown) {
    throw new ConfigurationError([`--workdir ${JSON.stringify(workdir)}: ${coerceError(thrown).message}`])
  }
}
