#!/usr/bin/env node
/*
 * What a `require` of the package gets, in dist/cjs: for each entry of package.json's `exports` a CommonJS module that hands on the ES
 * module, of which there is one copy for all, and declarations that count as those of CommonJS. With `module: node16` TypeScript refuses
 * to `require` what is declared as an ES module, although every Node that this package runs on can.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DIST = join(ROOT, 'dist')
const TO = join(DIST, 'cjs')
const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

rmSync(TO, { recursive: true, force: true })
const put = (path, write) => {
  mkdirSync(dirname(path), { recursive: true })
  write(path)
}
for (const file of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  if (file.endsWith('.d.ts')) put(join(TO, file), (path) => cpSync(join(DIST, file), path))
}
for (const { import: esm, require: cjs } of Object.values(exports)) {
  if (cjs === undefined) continue
  const from = join(ROOT, cjs.default)
  const target = relative(dirname(from), join(ROOT, esm.default))
  put(from, (path) => writeFileSync(path, `module.exports = require(${JSON.stringify(target)})\n`))
}
writeFileSync(join(TO, 'package.json'), '{ "type": "commonjs" }\n')
