#!/usr/bin/env node
/*
 * What an editor shows of a setting in `new Celery(name, { ... })` and `new Worker(app, { ... })`. Their types are made of the table of
 * settings, whose texts TypeScript can't see: so the declarations of these two types are written here, after the compiler's, with the texts
 * and the defaults of the table.
 */
import { writeFileSync } from 'node:fs'
import { flagOf } from '../build/lib/settings/row.js'
import { OPTION } from '../build/lib/settings/table/option.js'
import { ROWS } from '../build/lib/settings/table.js'
import { SETTINGS } from '../build/lib/worker/options.js'

const commentOf = (row) => {
  const { names } = flagOf(row)
  const lines = [
    row.doc,
    ...(row.inert === undefined ? [] : [`Accepted, without effect: ${row.inert}.`]),
    ...(names.length === 0 ? [] : [`On the command line: \`${names.join('`, `')}\`.`]),
  ]
  return `  /**\n   * ${lines.join(' ').replaceAll('*/', '*\\/')}\n   * @default ${JSON.stringify(row.fallback)}\n   */\n`
}

const write = (file, name, table, members) => {
  const comment = '/** Settings, each with its text and its default. */'
  const text = `import type { SettingInput } from '${table}';\n${comment}\nexport interface ${name} {\n${members.join('')}}\n`
  writeFileSync(new URL(`../build/lib/${file}.d.ts`, import.meta.url), text)
}

write(
  'settings/appSettings',
  'AppSettings',
  './table.js',
  [...ROWS]
    .filter(([name]) => !Object.hasOwn(OPTION, name))
    .map(([name, row]) => `${commentOf(row)}  readonly ${name}?: SettingInput<'${name}'> | undefined;\n`),
)
write(
  'worker/settingOptions',
  'SettingOptions',
  '../settings/table.js',
  [...SETTINGS].map(
    ([option, name]) =>
      `${commentOf(ROWS.get(name))}  readonly ${option}?: Exclude<SettingInput<'${name}'>, null> | undefined;\n`,
  ),
)
