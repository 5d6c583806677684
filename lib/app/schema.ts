import type { Params } from './signature.js'

/** The part of the Standard Schema interface (standardschema.dev) that zod, valibot and others share. */
export interface StandardSchema<Input = unknown, Output = unknown> {
  /** The interface's own namespace. */
  readonly '~standard': {
    /** Checks a value: returns the transformed value, or what is wrong with it. */
    validate(value: unknown): StandardResult | Promise<StandardResult>
    /** The types of input and output; only types, absent at run time. */
    readonly types?:
      | {
          /** The type of the input. */
          readonly input: Input
          /** The type of the output. */
          readonly output: Output
        }
      | undefined
  }
}

interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

type StandardResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/**
 * Checks a task's bound arguments with its schema: an object by the names of `params`, a list without names.
 * @returns the arguments as transformed by the schema
 * @throws TypeError that names each argument that is wrong
 */
export async function checkArguments(
  schema: StandardSchema,
  bound: readonly unknown[],
  params: Pick<Params, 'names' | 'options' | 'rest'> | null,
  task: string,
): Promise<unknown[]> {
  if (!params) {
    const value = await validated(schema, bound, task)
    return Array.isArray(value) ? value : [...bound]
  }
  const { options, rest } = params
  const names = options === null ? params.names : [...params.names, options]
  const given = names.flatMap((name, at) => (bound[at] === undefined ? [] : [[name, bound[at]]]))
  if (rest !== null) given.push([rest, bound.slice(names.length)])
  const value = (await validated(schema, Object.fromEntries(given), task)) as Readonly<Record<string, unknown>>
  const further = rest === null ? [] : value[rest]
  return [...names.map((name) => value[name]), ...(Array.isArray(further) ? further : [])]
}

/**
 * Checks the keyword arguments of a task that takes one object.
 * @returns the arguments as transformed by the schema
 * @throws TypeError that names each argument that is wrong
 */
export function checkKwargs(schema: StandardSchema, kwargs: object, task: string): Promise<unknown> {
  return validated(schema, kwargs, task)
}

async function validated(schema: StandardSchema, given: unknown, task: string): Promise<unknown> {
  const result = await schema['~standard'].validate(given)
  if (result.issues) throw new TypeError(`${task} got invalid arguments: ${result.issues.map(told).join('; ')}`)
  return result.value
}

function told({ message, path = [] }: StandardIssue): string {
  const place = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
  return place === '' ? message : `${place}: ${message}`
}
