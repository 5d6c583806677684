import type { App } from '../app/app.js'
import { ConfigurationError } from '../errors.js'
import { loadSettings } from '../settings/load.js'
import type { Settings } from '../settings/table.js'

/** An app's configuration doesn't change, and loading it is most of the cost of running a small task. */
const known = new WeakMap<App, Settings>()

/**
 * Returns the settings of an app by its configuration, without the environment of the test.
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
