/**
 * The arguments that a call may still be given in front of those that it has, as the signature of `Args` with `Given` as its last: of
 * `[x: number, y: number]` and `[number]` it is `[number]`. Several where the task has arguments that may be left out.
 */
export type LeadOf<
  Args extends readonly unknown[],
  Given extends readonly unknown[],
  Before extends readonly unknown[] = readonly [],
> = readonly unknown[] extends Args
  ? // Of a task of which nothing is known.
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
