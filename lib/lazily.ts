import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * A package that is loaded when it is first asked for, since most workers never do: a start costs a pod its time, and each module its
 * memory. Only for packages that have CommonJS, which alone can be loaded without waiting.
 * @returns the package, from the first call on
 * @throws what Node throws for a package that isn't installed
 */
export function lazily<Package>(name: string): () => Package {
  let loaded: Package | undefined
  return () => {
    loaded ??= require(name) as Package
    return loaded
  }
}
