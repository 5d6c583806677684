import { Writable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { main } from '../../lib/cli/main.js'
import { fakeIo } from '../support/fakeIo.js'

describe("the help of an app's own commands", () => {
  async function help(...argv: string[]): Promise<{ code: number; text: string }> {
    let text = ''
    const stdout = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk)
        done()
      },
    })
    return { code: await main(argv, fakeIo({ cwd: () => process.cwd(), stdout, stderr: stdout })), text }
  }

  const APP = ['-A', 'build/apps/commanded.js']

  it('lists those of the app that -A names, of the kind that is asked for', async () => {
    const inspect = await help(...APP, 'inspect', '--help')
    expect(inspect.code).toBe(0)
    expect(inspect.text).toContain('\nCommands of commanded:\n  stock <sku> [least]\n      Pieces in stock.\n')
    expect(inspect.text).toContain('  active_queues')
    expect(inspect.text).not.toContain('surcharge')
    const control = await help(...APP, 'control', '-h')
    expect(control.text).toContain('\nCommands of commanded:\n  surcharge <factor>\n      Set it.\n')
    expect(control.text).not.toContain('stock')
  })

  it('is there without an app, and with one that cannot be loaded', async () => {
    expect(await help('inspect', '--help')).toEqual({
      code: 0,
      text: expect.stringContaining('\n  and those that the app given by -A defines\n'),
    })
    const broken = await help('-A', 'build/apps/nowhere.js', 'control', '--help')
    expect(broken).toEqual({
      code: 0,
      text: expect.stringContaining("  and those of the app, which can't be loaded: "),
    })
    expect(broken.text).toContain('  rate_limit')
  })

  it("is all that --list prints, as Celery's does", async () => {
    const inspect = await help(...APP, 'inspect', '--list')
    expect(inspect).toEqual({ code: 0, text: expect.stringMatching(/^Commands:\n {2}active\n/) })
    expect(inspect.text).toContain('\nCommands of commanded:\n  stock <sku> [least]\n      Pieces in stock.\n')
    expect(await help('control', '--list')).toEqual({ code: 0, text: expect.stringContaining('  rate_limit') })
  })
})
