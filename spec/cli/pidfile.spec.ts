import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { PidfileError, takePidfile } from '../../lib/cli/pidfile.js'

describe('takePidfile', () => {
  let directory: string
  let path: string
  let said: string[]
  const say = (text: string): void => void said.push(text)
  const dead = (): boolean => false
  const alive = (): boolean => true

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'celeriac-pid-'))
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

  it('takes the living process for alive', () => {
    writeFileSync(path, `${process.pid}\n`)
    expect(() => takePidfile(path, 42, say)).toThrow(`(pid: ${process.pid})`)
  })

  it('replaces the file of a dead process', () => {
    writeFileSync(path, '41\n')
    takePidfile(path, 42, say, dead)
    expect(readFileSync(path, 'utf8')).toBe('42\n')
    expect(said).toEqual(['Stale pidfile exists - Removing it.'])
  })

  it.each(['', 'many', '12 13'])('replaces a file that holds %p', (content) => {
    writeFileSync(path, content)
    takePidfile(path, 42, say, alive)
    expect(readFileSync(path, 'utf8')).toBe('42\n')
    expect(said).toEqual(['Broken pidfile found - Removing it.'])
  })

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
