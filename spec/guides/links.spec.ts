import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { run } from '../package/packed.js'
import { ROOT } from '../support/workerProgram.js'
import { guides, readGuide } from './guide.js'

const OUTSIDE = /^https?:/
const LONGEST_README = 120

const all = guides()

/** Relative links of a guide: the file that each leads to, from the top, and its anchor. */
function targets({
  links,
  path,
}: (typeof all)[number]): Array<{ link: string; file: string; anchor: string | undefined }> {
  return links
    .filter((link) => !OUTSIDE.test(link))
    .map((link) => {
      const [file = '', anchor] = link.split('#')
      return { link, file: file === '' ? path : normalize(join(dirname(path), file)), anchor }
    })
}

describe('the guides', () => {
  it('are those that there are', () => {
    expect(all.map(({ path }) => path).sort()).toEqual([
      '.github/CONTRIBUTING.md',
      '.github/SECURITY.md',
      'CHANGELOG.md',
      'README.md',
      'deploy/README.md',
      'deploy/migrating.md',
      'lib/README.md',
      'lib/app/README.md',
      'lib/protocol/README.md',
      'lib/settings/README.md',
      'spec/README.md',
    ])
  })

  it.each(all.map((guide) => [guide.path, guide] as const))('%s links to what is there', (_, guide) => {
    const dead = targets(guide).filter(({ anchor, file }) => {
      if (!existsSync(join(ROOT, file))) return true
      return anchor !== undefined && !readGuide(file).anchors.includes(anchor)
    })
    expect(dead).toEqual([])
  })

  it('can all be reached from the README', () => {
    const reached = new Set(['README.md'])
    for (const path of reached) {
      for (const { file } of targets(readGuide(path))) if (file.endsWith('.md')) reached.add(file)
    }
    expect([...reached].sort()).toEqual(all.map(({ path }) => path).sort())
  })

  it('open with the question that they answer', () => {
    const openings = all
      .filter(({ path }) => !['README.md', 'CHANGELOG.md'].includes(path))
      .map(({ path, text }) => [path, /^# .+\n\n\*.+\?\*\n/.test(text)])
    expect(openings.filter(([, opens]) => !opens)).toEqual([])
  })

  it('come with the package, and all that they link to', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], ROOT)
    const [{ files }] = JSON.parse(stdout)
    const packed = new Set(files.map(({ path }: { path: string }) => path))
    const wanted = all.flatMap((guide) => [guide.path, ...targets(guide).map(({ file }) => file)])
    // A link to a folder is good if the folder is.
    const missing = wanted.filter(
      (path) => !packed.has(path) && ![...packed].some((file) => `${file}`.startsWith(path)),
    )
    expect(missing).toEqual([])
  })
})

describe('the README', () => {
  it(`has at most ${LONGEST_README} lines`, () => {
    expect(readGuide('README.md').text.trimEnd().split('\n').length).toBeLessThanOrEqual(LONGEST_README)
  })

  it('says on its first screen how to install, to try and to test', () => {
    const screen = readGuide('README.md').text.split('\n').slice(0, 50).join('\n')
    for (const command of ['npm install celeriac', 'bin/demo', 'bin/test']) expect(screen).toContain(command)
  })
})
