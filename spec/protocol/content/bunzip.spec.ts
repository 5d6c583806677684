import { spawnSync } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'
import { bunzip } from '../../../lib/protocol/content/bunzip.js'

/** What Python's bz2 makes of what a line of Python says. */
const PYTHON = `
import bz2, random, sys, base64
random.seed(7)
for text in (
    b'', b'x', b'aaaa', b'aaaab' * 3, bytes(range(256)) * 40, b'y' * 259, b'z' * 1_000_000,
    random.randbytes(250_000), bytes(random.choice(b'ab') for _ in range(100_000)),
    b''.join(b'%d,' % (n * n) for n in range(60_000)),
):
    for level in (1, 9):
        print(base64.b64encode(text).decode(), base64.b64encode(bz2.compress(text, level)).decode())
`

describe('bunzip', () => {
  it('reads what Python writes, whatever it is, over several blocks too', () => {
    const { stderr, stdout } = spawnSync('python3', ['-c', PYTHON], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    expect(stderr).toBe('')
    const pairs = stdout.trimEnd().split('\n')
    expect(pairs).toHaveLength(20)
    for (const pair of pairs) {
      const [text = '', compressed = ''] = pair.split(' ').map((part) => Buffer.from(part, 'base64'))
      expect(bunzip(compressed as Buffer, text.length).equals(text as Buffer)).toBe(true)
    }
  })

  it('ends for whatever is broken, by an error of its own or by a checksum', () => {
    const sound = Buffer.from(
      'QlpoOTFBWSZTWQIWuOQAAx+RgEAEIuMMACAAUIBppoClUaaMTAi7ItEWCLJFsi2RaItEXCLoRcIvhF+LuSKcKEgBC1xyAA==',
      'base64',
    )
    const whole = bunzip(sound, 10_000)
    expect(whole.toString()).toBe('the same again, '.repeat(100))
    const read = (content: Buffer): string => {
      try {
        return bunzip(content, 10_000).toString()
      } catch (thrown) {
        return String(thrown)
      }
    }
    let unnoticed = 0
    for (let bit = 0; bit < sound.length * 8; bit++) {
      const broken = Buffer.from(sound)
      broken[bit >> 3] = (broken[bit >> 3] as number) ^ (0x80 >> (bit & 7))
      const text = read(broken)
      if (text === whole.toString()) unnoticed++
      else expect(text).toMatch(/Error: /)
    }
    // Those that mean nothing: of the level, of codes that no symbol is read by, and behind the end.
    expect(unnoticed).toBeLessThan(sound.length)
  })
})
