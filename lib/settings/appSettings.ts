import type { OPTION } from './table/option.js'
import type { SettingInput, SettingName } from './table.js'

/**
 * The settings that have an effect, by name, as a program writes them. The build puts the text of each, from the table,
 * into the declaration of this file, where editors find it: see `bin/documented.js`.
 */
export type AppSettings = {
  readonly [Name in Exclude<SettingName, keyof typeof OPTION>]?: SettingInput<Name> | undefined
}
