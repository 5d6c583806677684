import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { main } from '../../lib/cli/main.js'
import { COMMANDS } from '../../lib/control/commands/index.js'
import { flagOf } from '../../lib/settings/row.js'
import { ROWS } from '../../lib/settings/table.js'
import { WITHOUT_EFFECT } from '../../lib/settings/withoutEffect.js'
import { fakeIo } from '../support/fakeIo.js'
import { ROOT } from '../support/workerProgram.js'
import { guides } from './guide.js'

/** Python's signals and fields of log formats, which are spelt like settings. */
const NO_SETTINGS = new Set(['task_failure', 'worker_process_init', 'task_id', 'task_name'])
/** Flags of other programs. */
const OTHERS = new Set([
  '--build',
  '--from-literal',
  '--if-empty',
  '--if-unused',
  '--import',
  '--on',
  '--only',
  '--quick',
  '--uninstall',
  '--eta',
  '--dump',
])

/** What the guides say in code, one piece each, with the guide that says it. */
const said = guides()
  .filter(({ path }) => path !== 'CHANGELOG.md')
  .flatMap(({ blocks, path, spans }) => [...spans, ...blocks.map(({ text }) => text)].map((code) => ({ code, path })))

/** All matches of a pattern in what the guides say in code. */
function found(pattern: RegExp): Array<{ name: string; path: string }> {
  return said.flatMap(({ code, path }) => [...code.matchAll(pattern)].map(([whole, name = whole]) => ({ name, path })))
}

function sourcesOf(folder: string): string {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => /\.(ts|yml)$/.test(name))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'))
    .join('\n')
}

async function help(...args: readonly string[]): Promise<string> {
  let text = ''
  const stdout = new Writable({
    write: (chunk, _encoding, done) => {
      text += chunk
      done()
    },
  })
  await main([...args, '--help'], fakeIo({ stdout }))
  return text
}

describe('what the guides name exists', () => {
  let helps: string
  let commands: string[]

  beforeAll(async () => {
    const [, listed = ''] = (await help()).split('Commands:')
    commands = [...listed.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name)
    helps = (await Promise.all([help(), ...commands.map((command) => help(command))])).join('\n')
  })

  it('settings', () => {
    const names = found(/(?<![\w.-])(?:broker|redis|result|task|worker)_[a-z_]+(?![\w(])/g)
    expect(names.length).toBeGreaterThan(50)
    const isKnown = (name: string): boolean =>
      ROWS.has(name as never) || Object.hasOwn(WITHOUT_EFFECT, name) || NO_SETTINGS.has(name)
    expect(names.filter(({ name }) => !isKnown(name))).toEqual([])
  })

  it('settings in the environment', () => {
    const names = found(/CELERY_([A-Z_]+[A-Z])\b/g)
    const flags = [...ROWS.values()].flatMap((row) =>
      flagOf(row).names.map((flag) => flag.replace(/^-+/, '').replaceAll('-', '_')),
    )
    const isKnown = (name: string): boolean => {
      const lower = name.toLowerCase()
      return ROWS.has(lower as never) || flags.includes(lower) || flags.includes(lower.replace(/^worker_/, ''))
    }
    expect(names.filter(({ name }) => !isKnown(name))).toEqual([])
  })

  it('flags', () => {
    const flags = found(/(?<![\w-])--[a-z][a-z-]+/g)
    expect(flags.length).toBeGreaterThan(20)
    const known = new Set(helps.match(/--[a-z][a-z-]+/g))
    expect(flags.filter(({ name }) => !known.has(name) && !OTHERS.has(name))).toEqual([])
  })

  it('commands', () => {
    const names = found(/\bceleriac (?:-\w \S+ )*([a-z]+)\b/g)
    expect(names.length).toBeGreaterThan(5)
    expect(names.filter(({ name }) => !commands.includes(name))).toEqual([])
  })

  it('commands of inspect and control', () => {
    const known = COMMANDS.map(({ name }) => name)
    const names = found(/(?:^|\bceler(?:iac|y) )(?:inspect|control) ([a-z_]+)/gm)
    expect(names.length).toBeGreaterThan(3)
    expect(names.filter(({ name }) => !known.includes(name))).toEqual([])
  })

  it('metrics', () => {
    const sources = `${sourcesOf('lib/health')}${sourcesOf('deploy/prometheus')}`
    const names = found(/\bcelery_[a-z_]*[a-z]\b/g)
    expect(names.length).toBeGreaterThan(3)
    expect(names.filter(({ name }) => !sources.includes(name))).toEqual([])
  })

  it('files', () => {
    const paths = found(/(?<![\w/.@-])(?:bin|deploy|lib|spec)\/[\w./-]*\w/g)
    expect(paths.length).toBeGreaterThan(20)
    const isPattern = (name: string): boolean => name.includes('NAME')
    expect(paths.filter(({ name }) => !isPattern(name) && !existsSync(join(ROOT, name)))).toEqual([])
  })
})
