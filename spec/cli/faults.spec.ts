import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { VERSION } from '../../lib/version.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

// Runs what `npm run build` made.
describe('the built command', () => {
  it('names everything that is wrong with a start, and exits with 2', () => {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      ['bin/celeriac.js', '-A', 'nowhere', 'worker', '--autoscale=a,b', '-l', 'LOUD'],
      { cwd: ROOT, encoding: 'utf8', env: { PATH: process.env.PATH } },
    )
    expect(stderr.trimEnd().split('\n')).toEqual([
      "Error: the worker can't start:",
      expect.stringContaining('-A nowhere: there is no '),
      expect.stringContaining('--autoscale "a,b": expected'),
      expect.stringContaining('-l/--loglevel "LOUD": expected one of DEBUG, INFO'),
    ])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  })

  it.each([[['--version']], [['-A', 'nowhere', '--version']]])(
    'says its version, alone and among other options: %j',
    (args) => {
      const options = { cwd: tmpdir(), encoding: 'utf8' } as const
      const { status, stderr, stdout } = spawnSync(process.execPath, [join(ROOT, 'bin/celeriac.js'), ...args], options)
      expect({ status, stderr, stdout }).toEqual({ status: 0, stderr: '', stdout: `${VERSION} (celeriac)\n` })
    },
  )

  it.each(['completion bash', 'report'])('says in a line that the disk is full: %s', (command) => {
    const shell = `"${process.execPath}" bin/celeriac.js ${command} >/dev/full`
    const { status, stderr } = spawnSync('sh', ['-c', shell], { cwd: ROOT, encoding: 'utf8' })
    const text = "Error: The output can't be written: ENOSPC: no space left on device, write\n"
    expect({ status, stderr }).toEqual({ status: 1, stderr: text })
  })

  it.each(['completion bash', 'report'])('ends well when nobody reads to the end: %s', (command) => {
    const shell = `"${process.execPath}" bin/celeriac.js ${command} | true; exit \${PIPESTATUS[0]}`
    const { status, stderr } = spawnSync('bash', ['-c', shell], { cwd: ROOT, encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('says it to whoever is there, and minds nobody who is not', () => {
    const shell = `"${process.execPath}" bin/celeriac.js --version >/dev/full`
    const { status, stderr } = spawnSync('sh', ['-c', shell], { cwd: ROOT, encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})
