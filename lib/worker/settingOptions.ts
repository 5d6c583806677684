import type { SettingInput, SettingName } from '../settings/table.js'
import type { NOT_FROM_CODE } from './options.js'

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name
type Bare<Name extends SettingName> = Name extends `worker_${infer Rest}`
  ? Rest extends SettingName
    ? Name
    : Rest
  : Name
type OptionOf<Name extends SettingName> = Name extends 'loglevel' ? 'logLevel' : Camel<Bare<Name>>
/** Null would mean "not given", as in the app's settings. */
type Value<Name extends SettingName> = Exclude<SettingInput<Name>, null> | undefined

/**
 * Every setting as an option of a worker: in camelCase, without the prefix `worker_`. The build puts the text of each,
 * from the table, into the declaration of this file: see `bin/documented.js`.
 */
export type SettingOptions = {
  readonly [Name in Exclude<SettingName, (typeof NOT_FROM_CODE)[number]> as OptionOf<Name>]?: Value<Name>
}
