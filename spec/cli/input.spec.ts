import { Readable, Writable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { confirm } from '../../lib/cli/input.js'

async function answered(...lines: string[]): Promise<{ answer: boolean | null; said: string }> {
  let said = ''
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      said += String(chunk)
      done()
    },
  })
  const answer = await confirm('Sure?', Readable.from(lines.map((line) => `${line}\n`)), stdout)
  return { answer, said }
}

describe('a question', () => {
  it.each([
    [['y'], true],
    [['YES'], true],
    [['n'], false],
    [[''], false],
    [[], null],
  ])('answered with %j is %s', async (lines, answer) => {
    expect(await answered(...lines)).toEqual({ answer, said: 'Sure? [y/N]: ' })
  })

  it('is asked again until it is answered', async () => {
    expect(await answered('maybe', 'y')).toEqual({
      answer: true,
      said: 'Sure? [y/N]: Error: invalid input\nSure? [y/N]: ',
    })
  })
})
