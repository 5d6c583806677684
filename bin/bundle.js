#!/usr/bin/env node
/*
 * What is published of the code, in dist/: the modules that the compiler has put into build/lib, joined into a few files. Node takes its time
 * and its memory for each file that it loads, and a disk a block for each. What is loaded together lies in one file, and what is loaded
 * only when it is needed lies in another: as far as that goes, nothing changes. The packages that it uses stay packages.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollup } from 'rollup'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FROM = join(ROOT, 'build/lib')
const TO = join(ROOT, 'dist')
const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** What Node is told to run or to load: what the package exports, the command, and what runs in the children of a pool. */
const entries = [
  ...Object.values(exports).flatMap(({ import: esm }) => (esm ? [relative(TO, join(ROOT, esm.default))] : [])),
  'cli/main.js',
  'cli/worker/earlySignals.js',
  'executors/childMain.js',
  'executors/threadMain.js',
]
const bundle = await rollup({
  input: Object.fromEntries(entries.map((entry) => [entry.replace(/\.js$/, ''), join(FROM, entry)])),
  // All that isn't a file of ours.
  external: (name) => !/^[./]/.test(name),
  // What nobody calls is little, and looking for it takes longer than all the rest.
  treeshake: false,
  onwarn({ message }) {
    throw new Error(message)
  },
})
const { output } = await bundle.write({
  dir: TO,
  format: 'es',
  entryFileNames: '[name].js',
  chunkFileNames: 'parts/[name]-[hash].js',
  // What a file imports is as deep as the modules in it did.
  hoistTransitiveImports: false,
})
await bundle.close()
// Last of all: a worker that runs may still load what it has been built with.
const made = new Set(output.map(({ fileName }) => fileName))
for (const file of readdirSync(TO, { recursive: true, encoding: 'utf8' })) {
  if (/\.js(?:\.map)?$/.test(file) && !file.startsWith('cjs/') && !made.has(file)) rmSync(join(TO, file))
}
// For who wants to know what is in which of them.
const parts = output.map(({ fileName, modules }) => [
  fileName,
  Object.keys(modules).map((path) => relative(FROM, path)),
])
writeFileSync(join(ROOT, 'build/parts.json'), JSON.stringify(Object.fromEntries(parts)))
