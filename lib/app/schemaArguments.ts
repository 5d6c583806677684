import type { StandardSchema } from './schema.js'
import type { TaskOptions } from './taskOptions.js'

/** The options of a task whose arguments a schema checks by the names of `params`. */
export type SchemaOptions<Names extends readonly string[], Input, Output> = TaskOptions & {
  readonly params: Names
  readonly schema: StandardSchema<Input, Output>
}

/** The arguments by position of a task whose arguments have these names, where a schema gives types to the names. */
export type ArgsOf<Names extends readonly string[], Shape> = Names extends readonly [
  infer First extends string,
  ...infer Rest extends readonly string[],
]
  ? undefined extends ValueOf<Shape, First>
    ? [ValueOf<Shape, First>?, ...ArgsOf<Rest, Shape>]
    : [ValueOf<Shape, First>, ...ArgsOf<Rest, Shape>]
  : Names extends readonly []
    ? []
    : unknown[]

type ValueOf<Shape, Name extends string> = Name extends `${infer Bare}?`
  ? ValueAt<Shape, Bare> | undefined
  : ValueAt<Shape, Name>
type ValueAt<Shape, Name extends string> = Name extends keyof Shape ? Shape[Name] : unknown
