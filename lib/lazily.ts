import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * A package that is loaded on first use, since most workers never need it: each module costs start time and memory.
 * Only for CommonJS packages, since only those can be loaded synchronously.
 * @returns a function that returns the package, loaded by its first call
 * @throws what Node throws for a package that isn't installed
 */
export function lazily<Package>(name: string): () => Package {
  let loaded: Package | undefined
  return () => {
    loaded ??= require(name) as Package
    return loaded
  }
}
