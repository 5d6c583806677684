import { existsSync, readFileSync } from 'node:fs'

/** From lib/, from dist/, where modules are put together into files at several depths, and from build/lib/. */
const UP = ['../', '../../'] as const

/** The folder of this package: only files in `files` of package.json are in it everywhere. */
export const PACKAGE_FOLDER: URL = folderOfPackage()

/** Celeriac's version. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('package.json', PACKAGE_FOLDER), 'utf8')) as { version: string }
).version

function folderOfPackage(): URL {
  const folders = UP.map((up) => new URL(up, import.meta.url))
  const found = folders.find((folder) => existsSync(new URL('package.json', folder)))
  if (!found) throw new Error(`celeriac is incomplete: there is no package.json above ${import.meta.url}`)
  return found
}
