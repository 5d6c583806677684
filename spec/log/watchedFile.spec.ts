import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { WatchedFile } from '../../lib/log/watchedFile.js'

describe('a watched file', () => {
  let directory: string
  let path: string
  let faults: string[]
  let file: WatchedFile

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'celeriac-watched-'))
    path = join(directory, 'worker.log')
    faults = []
    file = new WatchedFile(path, ({ message }) => faults.push(message))
  })

  afterEach(async () => {
    jest.restoreAllMocks()
    await new Promise<void>((resolve) => file.end(resolve))
    rmSync(directory, { recursive: true })
  })

  const write = (text: string): Promise<void> => new Promise((resolve) => file.write(text, () => resolve()))
  const content = (of = path): string => readFileSync(of, 'utf8')

  /** As if so many milliseconds had passed since the file was opened. */
  function later(ms: number): void {
    const now = performance.now()
    jest.spyOn(performance, 'now').mockReturnValue(now + ms)
  }

  it('is appended to, and made readable by all', async () => {
    await write('one\n')
    const other = new WatchedFile(path, ({ message }) => faults.push(message))
    await new Promise<void>((resolve) => other.end('two\n', resolve))
    await write('three\n')
    expect(content()).toBe('one\ntwo\nthree\n')
    expect(statSync(path).mode & 0o777).toBe(0o644 & ~process.umask())
  })

  it('is opened again within a second of being renamed', async () => {
    await write('one\n')
    renameSync(path, `${path}.1`)
    later(1001)
    await write('two\n')
    expect(content(`${path}.1`)).toBe('one\n')
    expect(content()).toBe('two\n')
  })

  it('is opened again within a second of being removed', async () => {
    await write('one\n')
    unlinkSync(path)
    later(1001)
    await write('two\n')
    expect(content()).toBe('two\n')
  })

  it('is not looked at before each line', async () => {
    await write('one\n')
    renameSync(path, `${path}.1`)
    await write('two\n')
    expect(content(`${path}.1`)).toBe('one\ntwo\n')
  })

  it('is looked at with the next line when that is asked for', async () => {
    await write('one\n')
    renameSync(path, `${path}.1`)
    file.reopen()
    await write('two\n')
    expect(content()).toBe('two\n')
  })

  it('writes on to the former file while the path can not be opened, and tells why', async () => {
    renameSync(path, `${path}.1`)
    mkdirSync(path)
    file.reopen()
    await write('one\n')
    expect(content(`${path}.1`)).toBe('one\n')
    expect(faults).toEqual([expect.stringContaining('EISDIR')])
    rmSync(path, { recursive: true })
    file.reopen()
    await write('two\n')
    expect(content()).toBe('two\n')
  })

  it('throws if it can not be opened at first', () => {
    expect(() => new WatchedFile(join(directory, 'no', 'x.log'), () => undefined)).toThrow('ENOENT')
  })
})
