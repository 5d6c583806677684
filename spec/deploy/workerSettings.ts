import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { main } from '../../lib/cli/main.js'
import type { Settings } from '../../lib/settings/table.js'
import { fakeIo, IDLE } from '../support/fakeIo.js'

const APP = `export default { [Symbol.for('celeriac.app')]: true, main: 'demo', conf: {}, tasks: [] }`

/**
 * What our own command line makes of a deployed worker's arguments. Its app is taken to exist; nothing is started.
 * @throws Error with all that the command said, if it wouldn't start without a fault and without a warning
 */
export async function workerSettings(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ settings: Settings; nodename: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'celeriac-args-'))
  writeFileSync(join(directory, 'app.mjs'), APP)
  let said = ''
  let made: { settings: Settings; nodename: string } | null = null
  const sink = new Writable({
    write(chunk, _encoding, done) {
      said += String(chunk)
      done()
    },
  })
  const io = fakeIo({ env, stdout: sink, stderr: sink, cwd: () => directory })
  const here = args.map((arg) => arg.replace(/^--app=.*/, '--app=app.mjs'))
  const code = await main(here, io, ({ settings, nodename }) => {
    made = { settings, nodename }
    const nothing = async (): Promise<void> => undefined
    return { ...IDLE, start: nothing, stop: nothing, terminate: nothing, ended: Promise.resolve({ code: 0 }) }
  }).finally(() => rmSync(directory, { recursive: true }))
  if (code !== 0 || made === null || said.includes('WARNING')) throw new Error(`${args.join(' ')}\n${said}`)
  return made
}
