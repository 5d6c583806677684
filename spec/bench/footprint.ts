import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK = 512

/** What a folder of packages holds. */
export interface Footprint {
  /** Bytes that it takes on the disk, as `du` counts them. */
  readonly bytes: number
  /** Packages in it, at any depth. */
  readonly packages: number
}

/** @param folder a node_modules, or a package */
export async function footprint(folder: string): Promise<Footprint> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = [folder, ...entries.map(({ name, parentPath }) => join(parentPath, name))]
  let bytes = 0
  for (const path of paths) bytes += (await lstat(path)).blocks * BLOCK
  return { bytes, packages: entries.filter(isPackage).length }
}

/** A package lies in a node_modules, or in a scope there; a folder of its own may have a package.json, too, that only tells its type. */
function isPackage({ name, parentPath }: { readonly name: string; readonly parentPath: string }): boolean {
  return name === 'package.json' && /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*$/.test(parentPath)
}
