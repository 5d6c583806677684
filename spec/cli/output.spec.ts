import { Writable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { Output } from '../../lib/cli/output.js'

function output({ color = true, isTTY = false, quiet = false } = {}) {
  let text = ''
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  return {
    output: new Output({ stdout: Object.assign(stdout, { isTTY }), stderr: stdout }, { color, quiet }),
    said: () => text,
  }
}

describe("a worker's reply", () => {
  it.each([
    [{ ok: 'pong' }, '->  w@h: OK\n        pong\n'],
    [{ ok: null }, '->  w@h: OK\n        None\n'],
    [{ ok: 'a\nb\n' }, '->  w@h: OK\n        a\n        b\n        \n'],
    [{ error: 'unknown task' }, '->  w@h: ERROR\n        unknown task\n'],
    [[], '->  w@h: OK\n    - empty -\n'],
    [['a', { b: null }], "->  w@h: OK\n    * a\n    * {'b': None}\n"],
    [{ b: 1, a: [true] }, '->  w@h: OK\n    {\n        "a": [\n            true\n        ],\n        "b": 1\n    }\n'],
    [{}, '->  w@h: OK\n    {}\n'],
    [null, '->  w@h: OK\n    None\n'],
    ['text', '->  w@h: OK\n    text\n'],
    ['', '->  w@h: OK\n    \n'],
  ])('%j', (value, text) => {
    const { output: out, said } = output()
    out.reply('w@h', value, { body: true })
    expect(said()).toBe(text)
  })

  it('has nothing in it that a terminal obeys, and no name that begins another line', () => {
    const { output: out, said } = output()
    const evil = '\u001b]0;x\u0007\u009b2J\r'
    out.reply(`w@h\n->  w2@h: OK${evil}`, { ok: `pong\n${evil}` }, { body: true })
    out.reply('w@h', [evil], { body: true })
    out.reply('w@h', { [evil]: evil }, { body: true })
    out.say(evil)
    out.error(evil)
    expect(said().replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    expect(said()).toContain('->  w@h\\n->  w2@h: OK\\x1b]0;x\\x07\\x9b2J\\r: OK\n        pong\n        \\x1b]0;x')
    expect(said()).toContain('    * \\x1b]0;x\\x07\\x9b2J\\r\n')
  })

  it('is one line without its body, and has no arrow when quiet', () => {
    const { output: out, said } = output({ quiet: true })
    out.reply('w@h', { ok: 'pong' }, { body: false })
    expect(said()).toBe(' w@h: OK\n')
  })

  it('has colours on a terminal only, and not if they are unwanted', () => {
    const shown = [{ isTTY: true }, { isTTY: true, color: false }, { isTTY: false }].map((options) => {
      const { output: out, said } = output(options)
      out.reply('w@h', ['a'], { body: true })
      return said()
    })
    expect(shown[0]).toContain('\u001b[32m\u001b[1mOK')
    expect(shown[0]).toContain('\u001b[37m*\u001b[39m a')
    expect(shown.slice(1)).toEqual(['->  w@h: OK\n    * a\n', '->  w@h: OK\n    * a\n'])
  })

  it.each([
    [0, '\n0 nodes online.\n'],
    [1, '\n1 node online.\n'],
    [2, '\n2 nodes online.\n'],
  ])('counts %d', (count, text) => {
    const { output: out, said } = output()
    out.online(count)
    expect(said()).toBe(text)
  })
})
