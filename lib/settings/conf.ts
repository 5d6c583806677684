import type { OPTION } from './table/option.js'
import type { SettingInput, SettingName } from './table.js'
import type { NameWithoutEffect } from './withoutEffect.js'

/** What exists on the command line only. */
export type CommandLineName = keyof typeof OPTION

/**
 * Settings of an app under Celery's lower-case names, as `new Celery(name, conf)` takes them. Times are in seconds. Those of Celery's that
 * have no effect here may be given too.
 */
export type Conf = {
  readonly [Name in Exclude<SettingName, CommandLineName>]?: SettingInput<Name> | undefined
} & { readonly [Name in NameWithoutEffect]?: unknown }
