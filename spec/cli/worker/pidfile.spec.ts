import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Pidfile, PidfileError, takePidfile } from '../../../lib/cli/worker/pidfile.js'
import { killAllPrograms, runProgram } from '../../support/program.js'
import { waitFor } from '../../support/waitFor.js'

describe('takePidfile', () => {
  let directory: string
  let path: string
  let said: string[]
  const say = (text: string): void => void said.push(text)
  const dead = (): boolean => false
  const alive = (): boolean => true

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pidfile-'))
    path = join(directory, 'w.pid')
    said = []
  })

  afterEach(() => rmSync(directory, { recursive: true }))

  it('writes the number and a newline, readable by all, and removes the file at the end', () => {
    const pidfile = takePidfile(path, 42, say)
    expect(readFileSync(path, 'utf8')).toBe('42\n')
    expect(statSync(path).mode & 0o777).toBe(0o644 & ~process.umask())
    pidfile.release()
    pidfile.release()
    expect(existsSync(path)).toBe(false)
    expect(said).toEqual([])
  })

  it('refuses a file whose process runs, and leaves it', () => {
    writeFileSync(path, '41\n')
    expect(() => takePidfile(path, 42, say, alive)).toThrow(
      new PidfileError(`ERROR: Pidfile (${path}) already exists.\nSeems we're already running? (pid: 41)`),
    )
    expect(readFileSync(path, 'utf8')).toBe('41\n')
  })

  describe('whose number a process has got', () => {
    afterEach(killAllPrograms)
    const SLEEP = 'console.log("up"); setInterval(() => {}, 1000)'
    const ofScript = (name: string): readonly [string, ...string[]] => {
      const script = join(directory, name)
      writeFileSync(script, SLEEP)
      return [process.execPath, script]
    }
    const takeWhileRuns = async (
      [command, ...args]: readonly [string, ...string[]],
      is: RegExp,
    ): Promise<() => Pidfile> => {
      const program = runProgram(command, args)
      await waitFor(() => is.test(readFileSync(`/proc/${program.pid}/cmdline`, 'utf8')), { what: 'the program to run' })
      writeFileSync(path, `${program.pid}\n`)
      return () => takePidfile(path, 42, say)
    }

    it.each([
      ['ours', () => ofScript('celeriac.js')],
      // It has no child that would hold its output when it is killed.
      ["Celery's", () => ['/bin/sh', '-c', 'kill -STOP $$', 'python3', '-m', 'celery', 'worker'] as const],
      ['bundled like the one that starts', () => ofScript(basename(process.argv[1] ?? ''))],
    ])('refuses it for a worker: %s', async (_, command) => {
      const take = await takeWhileRuns(command(), /celer|\.js/)
      expect(take).toThrow(/already running/)
      expect(said).toEqual([])
    })

    it('refuses it for a program of Node with a title of its own, which may be a worker', async () => {
      const title = ['-e', `process.title = 'plant'; ${SLEEP}`, 'and', 'room', 'for', 'the', 'title'] as const
      expect(await takeWhileRuns([process.execPath, ...title], /^plant/)).toThrow(/already running/)
    })

    it.each([
      ['any program', () => ['/bin/sleep', '600'] as const, /sleep/],
      ['one of Node', () => ofScript('server.js'), /server/],
    ])('replaces it for a foreign one: %s', async (_, command, is) => {
      const take = await takeWhileRuns(command(), is)
      take()
      expect(readFileSync(path, 'utf8')).toBe('42\n')
      expect(said).toEqual(['Stale pidfile exists - Removing it.'])
    })
  })

  it('replaces the file of a dead process', () => {
    writeFileSync(path, '41\n')
    takePidfile(path, 42, say, dead)
    expect(readFileSync(path, 'utf8')).toBe('42\n')
    expect(said).toEqual(['Stale pidfile exists - Removing it.'])
  })

  it.each(['', 'many', '12 13', '0\n', '-1\n', '-0', '1.5', '\n', '\0\0\0'])(
    'replaces a file that holds %p',
    (content) => {
      writeFileSync(path, content)
      takePidfile(path, 42, say, alive)
      expect(readFileSync(path, 'utf8')).toBe('42\n')
      expect(said).toEqual(['Broken pidfile found - Removing it.'])
    },
  )

  it('silently replaces a file with its own number, as a container leaves it', () => {
    writeFileSync(path, '1\n')
    takePidfile(path, 1, say, alive)
    expect(readFileSync(path, 'utf8')).toBe('1\n')
    expect(said).toEqual([])
  })

  it('leaves a file that another process has taken meanwhile', () => {
    const pidfile = takePidfile(path, 42, say)
    writeFileSync(path, '43\n')
    pidfile.release()
    expect(readFileSync(path, 'utf8')).toBe('43\n')
  })

  it('tells of a path that can not be written', () => {
    expect(() => takePidfile(join(directory, 'no', 'w.pid'), 42, say)).toThrow(/can't be written: .*ENOENT/)
  })
})
