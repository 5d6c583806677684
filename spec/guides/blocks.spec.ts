import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { PYTHON } from '../support/peers.js'
import { ROOT } from '../support/workerProgram.js'
import { type Block, guides } from './guide.js'

const COMPILER_OPTIONS = {
  target: 'ES2023',
  module: 'NodeNext',
  types: ['node'],
  strict: true,
  noImplicitReturns: true,
  skipLibCheck: true,
  noEmit: true,
}

type Found = Block & { readonly path: string }

const all: readonly Found[] = guides().flatMap(({ blocks, path }) => blocks.map((block) => ({ ...block, path })))
const of = (language: string): readonly Found[] => all.filter((block) => block.language === language)

const faultOf = (command: string, args: readonly string[], input: string): string => {
  const { status, stderr, stdout } = spawnSync(command, args, { input, encoding: 'utf8' })
  return status === 0 ? '' : `${stdout}${stderr}`
}

/** What is wrong with a text in a language; TypeScript is compiled all at once. */
const FAULTS: Readonly<Record<string, (text: string) => string>> = {
  '': () => '',
  js: (text) => faultOf(process.execPath, ['--check', '--input-type=module', '-'], text),
  json: (text) => thrownBy(() => JSON.parse(text)),
  python: (text) => faultOf(PYTHON, ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], text),
  sh: (text) => faultOf('bash', ['-n'], text),
  yaml: (text) => thrownBy(() => parse(text)),
}

function thrownBy(read: () => unknown): string {
  try {
    read()
    return ''
  } catch (thrown) {
    return String(thrown)
  }
}

describe('blocks of code in the guides', () => {
  it('are in languages that are checked', () => {
    expect(all.filter(({ language }) => language !== 'ts' && !Object.hasOwn(FAULTS, language))).toEqual([])
  })

  it.each(Object.keys(FAULTS))('have no mistake in %p', (language) => {
    const faults = of(language).map(({ path, text }) => [path, text, FAULTS[language]?.(text)])
    expect(faults.filter(([, , fault]) => fault !== '')).toEqual([])
  })

  describe('in TypeScript', () => {
    let dir: string

    beforeEach(() => {
      // Within the repository, where the package's own name and what it uses are found.
      mkdirSync(join(ROOT, 'build'), { recursive: true })
      dir = mkdtempSync(join(ROOT, 'build/guides-'))
      writeFileSync(join(dir, 'package.json'), JSON.stringify({ type: 'module', dependencies: { celeriac: '*' } }))
      cpSync(join(ROOT, 'spec/guides/given.d.ts'), join(dir, 'given.d.ts'))
      const paths = { celeriac: ['../../dist/index.d.ts'], 'celeriac/*': ['../../dist/*/index.d.ts'] }
      const config = { compilerOptions: { ...COMPILER_OPTIONS, paths }, include: ['.'] }
      writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config))
    })

    afterEach(() => rmSync(dir, { recursive: true }))

    it('compile, each as a module of its own', () => {
      expect(of('ts').length).toBeGreaterThan(10)
      for (const [index, { path, text }] of of('ts').entries()) {
        const name = `${path.replaceAll(/\W/g, '_')}_${index}.ts`
        writeFileSync(join(dir, name), `${text}\nexport {}\n`)
      }
      const tsc = join(ROOT, 'node_modules/@typescript/native/bin/tsc')
      const { stdout } = spawnSync(process.execPath, [tsc, '-p', '.'], { cwd: dir, encoding: 'utf8' })
      expect(stdout).toBe('')
    })
  })
})
