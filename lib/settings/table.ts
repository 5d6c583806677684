import type { Row } from './row.js'
import { BROKER } from './table/broker.js'
import { OPTION } from './table/option.js'
import { RESULT } from './table/result.js'
import { TASK } from './table/task.js'
import { WORKER } from './table/worker.js'

/** All settings and options. Flags, environment, help, types and documentation are derived from this table. */
export const TABLE = { ...BROKER, ...RESULT, ...TASK, ...WORKER, ...OPTION } as const

type Table = typeof TABLE
export type SettingName = keyof Table

/** The settings once loaded: each has a value, and none changes. */
export type Settings = { readonly [Name in SettingName]: Table[Name] extends Row<infer T> ? T : never }

/** What a program may write for a setting. */
export type SettingInput<Name extends SettingName> = Table[Name] extends Row<unknown, infer In> ? In : never

/** The rows as one type, for code that goes through all of them. */
export const ROWS: ReadonlyMap<string, Row<unknown>> = new Map<string, Row<unknown>>(Object.entries(TABLE))
