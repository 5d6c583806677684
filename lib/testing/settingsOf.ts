import type { App } from '../app/app.js'
import { ConfigurationError } from '../errors.js'
import { loadSettings } from '../settings/load.js'
import type { Settings } from '../settings/table.js'

/** An app's configuration doesn't change, and reading it is most of what a run of a small task costs. */
const known = new WeakMap<App, Settings>()

/**
 * The settings of an app as its configuration says, whatever the environment of the test says.
 * @throws ConfigurationError with everything that is wrong
 */
export function settingsOf(app: App): Settings {
  let settings = known.get(app)
  if (!settings) {
    settings = loaded(app.conf)
    known.set(app, settings)
  }
  return settings
}

/** @throws ConfigurationError with everything that is wrong */
export function loaded(config: Readonly<Record<string, unknown>>): Settings {
  const { faults, settings } = loadSettings({ config, env: {}, flags: {} })
  if (faults.length > 0) throw new ConfigurationError(faults)
  return settings
}
