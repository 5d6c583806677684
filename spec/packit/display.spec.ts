import { describe, expect, it } from '@jest/globals'
import { Display } from './display.js'

class Output {
  text = ''
  readonly columns = 12
  constructor(readonly isTTY: boolean) {}
  write(text: string): boolean {
    this.text += text
    return true
  }
}

describe('Display', () => {
  it('updates one line of a terminal in place, cut to its width, and prints over it', () => {
    const output = new Output(true)
    const display = new Display(output)
    display.status('done 1')
    display.status('done 2 of many more')
    display.print('finished')
    display.print()
    const clear = '\r\u001b[K'
    expect(output.text).toBe(`${clear}done 1${clear}done 2 of m${clear}finished\n\n`)
    expect(display.width).toBe(12)
  })

  it('prints a plain line where there is no terminal, but not every time', () => {
    const output = new Output(false)
    const display = new Display(output)
    display.status('done 1')
    display.status('done 2')
    display.print('finished')
    display.status('next')
    expect(output.text).toBe('done 1\nfinished\nnext\n')
    expect(display.width).toBe(80)
  })
})
