import { dirname, join } from 'node:path/posix'

/** One file of a tree that names another, or a package; by type alone counts as well. */
export interface Import {
  readonly from: string
  /** A file of the tree, or the name of a package. */
  readonly to: string
  readonly isInside: boolean
}

/** What the files of a tree import and export again, `import type` and `import()` included. @param files paths and texts */
export function importsOf(files: ReadonlyMap<string, string>): Import[] {
  return [...files].flatMap(([from, text]) =>
    [
      ...text.matchAll(
        /(?:import|export)\s+(?:type\s+)?(?:[\w*{][^'"]*?\s+from\s+)?['"]([^'"]+)['"]|import\('([^']+)'\)/g,
      ),
    ].map((found) => {
      const name = found[1] ?? found[2] ?? ''
      const isInside = name.startsWith('.')
      return { from, to: isInside ? join(dirname(from), name).replace(/\.js$/, '.ts') : name, isInside }
    }),
  )
}

/** The level of a file: that of its room, which is the first folder or, at the top, the file's own name; -1 for none. */
export function levelOf(file: string, levels: readonly (readonly string[])[]): number {
  const room = file.split('/')[0]?.replace(/\.ts$/, '') ?? ''
  return levels.findIndex((level) => level.includes(room))
}

/** The imports that go from a lower level to a higher one. */
export function upwards(imports: readonly Import[], levels: readonly (readonly string[])[]): string[] {
  return imports
    .filter(({ from, to, isInside }) => isInside && levelOf(to, levels) > levelOf(from, levels))
    .map(({ from, to }) => `${from} -> ${to}`)
}

/** The circles of files, each once. */
export function circlesOf(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>()
  for (const { from, to, isInside } of imports) if (isInside) next.set(from, [...(next.get(from) ?? []), to])
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    else if (!done.has(file)) for (const to of next.get(file) ?? []) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of next.keys()) visit(file, [])
  return circles
}
