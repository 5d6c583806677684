import type { StandardSchema } from './schema.js'
import type { TaskOptions } from './taskOptions.js'

/** The options of a task whose arguments a schema checks by the names of `params`. */
export type SchemaOptions<Names extends readonly string[], Input, Output> = TaskOptions & {
  readonly params: Names
  readonly schema: StandardSchema<Input, Output>
}

/**
 * The arguments that a handler receives by position, if its arguments have these names and a schema gives the names
 * types. `**options` is one argument, and `...rest` all that come last.
 */
export type ArgsOf<Names extends readonly string[], Shape> = Names extends readonly [
  infer First extends string,
  ...infer Others extends readonly string[],
]
  ? First extends `...${infer Rest}`
    ? ListOf<ValueAt<Shape, Rest>>
    : First extends `**${infer Options}`
      ? [ValueAt<Shape, Options>, ...ArgsOf<Others, Shape>]
      : undefined extends ValueOf<Shape, First>
        ? [ValueOf<Shape, First>?, ...ArgsOf<Others, Shape>]
        : [ValueOf<Shape, First>, ...ArgsOf<Others, Shape>]
  : Names extends readonly []
    ? []
    : unknown[]

/**
 * The arguments that a caller passes by position, of those that a handler receives: without those that `**options`
 * gathers by name.
 */
export type GivenOf<Names extends readonly string[] | undefined, Args extends readonly unknown[]> = [
  Gathering<Names>,
] extends [never]
  ? Args
  : Names extends readonly string[]
    ? Without<Names, Args>
    : Args

/** The names that gather keyword arguments; never if there are none, or if the names aren't known. */
type Gathering<Names> = Names extends readonly string[]
  ? string extends Names[number]
    ? never
    : Extract<Names[number], `**${string}`>
  : never

type Without<Names extends readonly string[], Args extends readonly unknown[]> = Names extends readonly [
  infer First extends string,
  ...infer Others extends readonly string[],
]
  ? Args extends readonly [infer Own, ...infer Further]
    ? First extends `**${string}`
      ? Further
      : [Own, ...Without<Others, Further>]
    : Args extends readonly [(infer Own)?, ...infer Further]
      ? First extends `**${string}`
        ? Further
        : [Own?, ...Without<Others, Further>]
      : Args
  : Args

type ListOf<Value> = Value extends readonly (infer Item)[] ? Item[] : unknown[]
type ValueOf<Shape, Name extends string> = Name extends `${infer Bare}?`
  ? ValueAt<Shape, Bare> | undefined
  : ValueAt<Shape, Name>
type ValueAt<Shape, Name extends string> = Name extends keyof Shape ? Shape[Name] : unknown
