#!/usr/bin/env node
/*
 * Copies the declarations to dist/cjs, where they count as those of a CommonJS module. With `module: node16` TypeScript refuses to
 * `require` what is declared as an ES module, although every Node that this package runs on can.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const TO = join(DIST, 'cjs')

rmSync(TO, { recursive: true, force: true })
const files = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'))
for (const file of files) {
  mkdirSync(dirname(join(TO, file)), { recursive: true })
  cpSync(join(DIST, file), join(TO, file))
}
writeFileSync(join(TO, 'package.json'), '{ "type": "commonjs" }\n')
