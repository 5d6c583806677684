import { PassThrough } from 'node:stream'
import { beforeEach, describe, expect, it, jest } from '@jest/globals'
import { isTerminal, Screen } from '../../../lib/cli/events/screen.js'

const LINES = [
  { heading: true, text: 'head' },
  { heading: false, text: 'body' },
]

describe('the screen', () => {
  let stdout: PassThrough & { isTTY: boolean; columns?: number; rows?: number }
  let input: PassThrough & { isTTY: boolean; setRawMode: jest.Mock<(raw: boolean) => void> }
  let quit: jest.Mock<() => void>
  let keys: string[]
  let screen: Screen

  beforeEach(() => {
    stdout = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true })
    input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: jest.fn<(raw: boolean) => void>() })
    quit = jest.fn<() => void>()
    keys = []
    screen = new Screen(stdout, input, (key) => keys.push(key), quit)
  })

  it('is drawn over what stood there, which comes back at the end', () => {
    screen.open()
    screen.draw(LINES)
    screen.close()
    screen.close()
    screen.draw(LINES)
    expect(stdout.read()).toBe(
      '\u001b[?1049h\u001b[?25l' +
        '\u001b[H\u001b[1mhead\u001b[22m\u001b[K\r\nbody\u001b[K\u001b[J' +
        '\u001b[?25h\u001b[?1049l',
    )
    expect(input.setRawMode.mock.calls).toEqual([[true], [false]])
    expect(input.isPaused()).toBe(true)
  })

  it('hands on the keys one by one, an arrow as one, and ends with Ctrl+C', async () => {
    screen.open()
    input.write('jQ\u001b[B\u001b\r')
    input.write('é\u0003x')
    await new Promise((resolve) => setImmediate(resolve))
    expect(keys).toEqual(['j', 'Q', '\u001b[B', '\u001b', '\r', 'é', 'x'])
    expect(quit).toHaveBeenCalledTimes(1)
    screen.close()
  })

  it('shows the selected line inverted', () => {
    screen.draw([{ heading: false, text: 'row', selected: true }])
    expect(stdout.read()).toContain('\u001b[7mrow\u001b[27m')
  })

  it('leaves an input alone that is no terminal', () => {
    input.isTTY = false
    screen.open()
    screen.close()
    expect(input.setRawMode).not.toHaveBeenCalled()
  })

  it('is as large as the terminal says, or as terminals once were', () => {
    expect(screen.size).toEqual({ columns: 80, rows: 24 })
    Object.assign(stdout, { columns: 0, rows: 0 })
    expect(screen.size).toEqual({ columns: 80, rows: 24 })
    Object.assign(stdout, { columns: 132, rows: 50 })
    expect(screen.size).toEqual({ columns: 132, rows: 50 })
  })

  it('needs a terminal', () => {
    expect(isTerminal(stdout)).toBe(true)
    expect(isTerminal(new PassThrough())).toBe(false)
  })
})
