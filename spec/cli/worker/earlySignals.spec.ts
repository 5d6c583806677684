import { EventEmitter } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { heedEarly } from '../../../lib/cli/worker/earlySignals.js'
import { killAllPrograms, type Program, runProgram } from '../../support/program.js'

const COMMAND = fileURLToPath(new URL('../../../bin/celeriac.js', import.meta.url))

describe('a signal that comes before the worker is there', () => {
  it.each([
    ['SIGTERM', 0],
    ['SIGQUIT', 0],
    ['SIGINT', 1],
  ])('ends the process: %s with exit code %i', (signal, code) => {
    const source = new EventEmitter()
    const exits: number[] = []
    heedEarly({ source, exit: (code) => exits.push(code) })
    source.emit(signal)
    expect(exits).toEqual([code])
  })

  it('is kept for the worker: HUP', () => {
    const source = new EventEmitter()
    const early = heedEarly({ source, exit: () => undefined })
    expect(early.held).toBeNull()
    source.emit('SIGHUP')
    expect(early.held).toBe('SIGHUP')
  })

  it("is nobody else's once the worker is there", () => {
    const source = new EventEmitter()
    heedEarly({ source, exit: () => undefined }).release()
    expect(source.eventNames()).toEqual([])
  })
})

describe('TERM while the app loads', () => {
  let cwd: string

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'celeriac-early-'))
    writeFileSync(
      join(cwd, 'app.mjs'),
      `console.log('pid ' + process.pid + ' is loading')\nawait new Promise((resolve) => setTimeout(resolve, 3_600_000))`,
    )
  })

  afterEach(async () => {
    await killAllPrograms()
    rmSync(cwd, { recursive: true })
  })

  const load = async (command: string, ...args: string[]): Promise<Program> => {
    const program = runProgram(command, [...args, COMMAND, '-A', 'app.mjs', 'worker', '--without-http'], { cwd })
    await program.waitForOutput(/is loading/)
    return program
  }

  it('ends the worker with exit code 0', async () => {
    const program = await load(process.execPath)
    program.kill('SIGTERM')
    expect(await program.exited).toEqual({ code: 0, signal: null })
  })

  const isRoot = process.getuid?.() === 0
  const asInit = isRoot ? it : it.failing
  // Process 1 of a pid namespace gets no signal that it doesn't listen for, as that of a container; making one takes root.
  asInit('ends the worker with exit code 0 as process 1 of a container', async () => {
    expect(isRoot).toBe(true)
    // From outside it has another pid, and the signal comes from there, as that of a container engine does.
    const program = runProgram(
      'unshare',
      ['--pid', '--fork', '--kill-child', process.execPath, COMMAND, '-A', 'app.mjs', 'worker', '--without-http'],
      { cwd },
    )
    await program.waitForOutput(/pid 1 is loading/)
    const [worker] = readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8').split(' ')
    process.kill(Number(worker), 'SIGTERM')
    expect(await program.exited).toEqual({ code: 0, signal: null })
  })
})
