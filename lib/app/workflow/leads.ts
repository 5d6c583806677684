/**
 * The leading arguments that a call may still be given before those that it has: with `Given` as the last of `Args`.
 * For `[x: number, y: number]` and `[number]` they are `[number]`. There are several possibilities if the task has
 * optional arguments.
 */
export type LeadOf<
  Args extends readonly unknown[],
  Given extends readonly unknown[],
  Before extends readonly unknown[] = readonly [],
> = readonly unknown[] extends Args
  ? // A task of unknown type.
    never
  :
      | (Given extends Args ? Before : never)
      | (Args extends readonly []
          ? never
          : Args extends readonly [infer First, ...infer Rest]
            ? LeadOf<Rest, Given, readonly [...Before, First]>
            : number extends Args['length']
              ? Given extends Args
                ? readonly [...Before, ...Args]
                : never
              : Args extends readonly [(infer First)?, ...infer Rest]
                ? LeadOf<Rest, Given, readonly [...Before, First]>
                : never)

/** The last arguments of a task, any number of them. */
export type TailOf<Args extends readonly unknown[]> =
  | Args
  | (Args extends readonly []
      ? never
      : Args extends readonly [unknown, ...infer Rest]
        ? TailOf<Rest>
        : number extends Args['length']
          ? never
          : Args extends readonly [unknown?, ...infer Rest]
            ? TailOf<Rest>
            : never)
