#!/usr/bin/env node
/*
 * What is published of the declarations, in dist/: those that the entries of package.json's `exports` lead to. And what a `require` of the
 * package gets, in dist/cjs: for each entry a CommonJS module that hands on the ES module, of which there is one copy for all, and the same
 * declarations once more, which count as those of CommonJS there. With `module: node16` TypeScript refuses to `require` what is declared
 * as an ES module, although every Node that this package runs on can.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FROM = join(ROOT, 'build/lib')
const DIST = join(ROOT, 'dist')
const CJS = join(DIST, 'cjs')
const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const entries = Object.values(exports).filter(({ require: cjs }) => cjs !== undefined)

const reached = new Set()
const reach = (file) => {
  if (reached.has(file)) return
  reached.add(file)
  const text = readFileSync(join(FROM, file), 'utf8')
  for (const [, path] of text.matchAll(/(?:\bfrom |\bimport[ (])['"](\.[^'"]+)\.js['"]/g)) {
    reach(join(dirname(file), `${path}.d.ts`))
  }
}
for (const { import: esm } of entries) reach(relative(DIST, join(ROOT, esm.types)))

const put = (path, write) => {
  mkdirSync(dirname(path), { recursive: true })
  write(path)
}
rmSync(CJS, { recursive: true, force: true })
for (const file of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  if (/\.d\.[cm]?ts$/.test(file) && !reached.has(file)) rmSync(join(DIST, file))
}
for (const file of reached) {
  for (const folder of [DIST, CJS]) put(join(folder, file), (path) => cpSync(join(FROM, file), path))
}
for (const { import: esm, require: cjs } of entries) {
  const from = join(ROOT, cjs.default)
  const target = relative(dirname(from), join(ROOT, esm.default))
  put(from, (path) => writeFileSync(path, `module.exports = require(${JSON.stringify(target)})\n`))
}
writeFileSync(join(CJS, 'package.json'), '{ "type": "commonjs" }\n')
