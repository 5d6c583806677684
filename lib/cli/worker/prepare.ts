import { resolve } from 'node:path'
import type { App } from '../../app/app.js'
import { loadApp, loadModule } from '../../app/load.js'
import { ConfigurationError, coerceError } from '../../errors.js'
import { loadSettings } from '../../settings/load.js'
import type { Settings } from '../../settings/table.js'
import type { Io } from '../io.js'
import { type Extras, readExtras } from './extras.js'
import { become } from './identity.js'

export interface Prepared {
  readonly app: App
  readonly settings: Settings
  readonly configured: ReadonlyMap<string, unknown>
  readonly warnings: readonly string[]
}

const NO_APP =
  '-A/--app: no app was given; name its compiled module before the subcommand, as in: celeriac -A dist/app.js worker'

/**
 * Loads the app and the settings of a command.
 * @param args the arguments after `--`
 * @throws ConfigurationError with everything that is wrong with the app's module and the settings
 */
export async function prepare(
  flags: Readonly<Record<string, unknown>>,
  args: readonly string[],
  io: Io,
): Promise<Prepared> {
  const faults: string[] = []
  const collect = (thrown: unknown): null => {
    faults.push(...(thrown instanceof ConfigurationError ? thrown.faults : [coerceError(thrown).message]))
    return null
  }
  const extras = attempt(() => readExtras(args), collect) ?? { flags: {}, others: {} }
  // The app's place, the working directory and the user can't come from the app's own configuration.
  const { app: specifier, workdir, uid, gid, umask } = load({}, flags, extras, io).settings
  const changed = workdir === null || attempt(() => changeTo(workdir, io), collect)
  const became = attempt(() => become({ uid, gid, umask }, io.identity), collect)
  const app =
    changed && became
      ? await (specifier === null
          ? Promise.reject(new ConfigurationError([NO_APP]))
          : loadApp(specifier, io.cwd())
        ).catch(collect)
      : null
  const { settings, configured, warnings, faults: wrong } = load(app?.conf ?? {}, flags, extras, io)
  faults.push(...wrong)
  if (app) {
    for (const module of [...settings.imports, ...settings.include]) await loadModule(module, io.cwd()).catch(collect)
  }
  if (app === null || faults.length > 0) throw new ConfigurationError(faults)
  return { app, settings, configured, warnings }
}

function load(
  config: Readonly<Record<string, unknown>>,
  flags: Readonly<Record<string, unknown>>,
  extras: Extras,
  { env }: Io,
): ReturnType<typeof loadSettings> {
  return loadSettings({ config: { ...config, ...extras.others }, env, flags: { ...extras.flags, ...flags } })
}

function attempt<T>(fn: () => T, onThrown: (thrown: unknown) => null): T | null {
  try {
    return fn()
  } catch (thrown) {
    return onThrown(thrown)
  }
}

function changeTo(workdir: string, io: Io): true {
  try {
    io.chdir(resolve(io.cwd(), workdir))
    return true
  } catch (thrown) {
    throw new ConfigurationError([`--workdir ${JSON.stringify(workdir)}: ${coerceError(thrown).message}`])
  }
}
