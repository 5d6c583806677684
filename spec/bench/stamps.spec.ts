import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readStamps } from './stamps.js'

describe('the stamps of the tasks', () => {
  let directory: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'celeriac-spec-'))
  })

  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  it('are none before the first task', () => {
    expect(readStamps(join(directory, 'none'))).toEqual([])
  })

  it('are read line by line, without the one that is being written', async () => {
    const file = join(directory, 'trace')
    await writeFile(file, 'key-1 100 250 300\nhot 100 260 280\nkey-2 10')
    expect(readStamps(file)).toEqual([
      { key: 'key-1', sent: 100, began: 250, ended: 300 },
      { key: 'hot', sent: 100, began: 260, ended: 280 },
    ])
  })
})
