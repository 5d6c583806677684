import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { footprint } from './footprint.js'

describe('the footprint of an install', () => {
  let folder: string

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'celeriac-footprint-')), 'node_modules')
  })

  afterEach(() => rmSync(dirname(folder), { recursive: true }))

  const write = (path: string, content = '{}'): void => {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }

  it('counts packages at any depth, with and without a scope, and nothing else that has a package.json', async () => {
    write('.package-lock.json')
    write('one/package.json')
    write('one/dist/cjs/package.json')
    write('@scope/two/package.json')
    write('one/node_modules/two/package.json')
    write('one/node_modules/@scope/two/package.json')
    write('@scope/two/lib/node_modules.js')
    expect((await footprint(folder)).packages).toBe(4)
  })

  it('takes what it takes on the disk, as du says', async () => {
    write('one/package.json')
    write('one/large.js', 'x'.repeat(100_000))
    const du = Number(
      execFileSync('du', ['--summarize', '--block-size=1', folder], { encoding: 'utf8' }).split('\t')[0],
    )
    expect((await footprint(folder)).bytes).toBe(du)
    expect(du).toBeGreaterThan(100_000)
  })
})
