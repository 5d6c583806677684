import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'

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
})
