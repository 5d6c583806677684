import { isUnsafe, moduleOf, pythonTypeOf } from './pythonErrors.js'

/**
 * Python names that an error defines, or its class by static fields. A name given by a class also applies to its
 * subclasses. `excType` and `excModule` are the exception's class and module in Python; `args` are the arguments the
 * Python class is built from.
 */
export interface PythonNames {
  readonly excType?: string
  readonly excModule?: string | null
  readonly args?: readonly unknown[]
}

/**
 * The module of classes that Python doesn't have. It must be one that Python has never loaded: a name that Python finds is used
 * as it is, while for an unknown one it makes a class of that name, which is what we want.
 */
const OWN_MODULE = 'js'

/** Returns an error's Python class and module. */
export function namesOf(error: Error): { readonly excType: string; readonly excModule: string | null } {
  const own = error as Error & PythonNames
  const given = error.constructor as PythonNames & { readonly name?: string }
  const excType = own.excType ?? given.excType
  const excModule = own.excModule === undefined ? given.excModule : own.excModule
  if (excType !== undefined || excModule !== undefined) {
    const type = excType ?? classOf(error)
    const module = excModule === undefined ? (moduleOf(type) ?? OWN_MODULE) : excModule
    return { excType: type, excModule: module !== null && isUnsafe(module, type) ? OWN_MODULE : module }
  }
  const type = classOf(error)
  const python = pythonTypeOf(type)
  if (python !== undefined) return { excType: python, excModule: 'builtins' }
  return { excType: type, excModule: moduleOf(type) ?? OWN_MODULE }
}

/** A subclass that sets no `name` inherits that of the built-in class, and its own class name says more. */
function classOf(error: Error): string {
  const name = typeof error.name === 'string' ? error.name : ''
  if (name !== '' && pythonTypeOf(name) === undefined) return name
  return error.constructor.name || name || 'Error'
}
