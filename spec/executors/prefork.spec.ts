import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { preforkPool } from '../../lib/executors/prefork.js'
import { waitFor } from '../support/waitFor.js'
import { ROOT } from '../support/workerProgram.js'
import { APP, type MakePool, PoolHarness } from './poolHarness.js'
import { describePool } from './poolSuite.js'

const make: MakePool = preforkPool

describePool('prefork', make)

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a prefork child', () => {
  it('past its limit is dead and replaced while the other child goes on', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'prefork-spec-'))
    const release = join(directory, 'release')
    const pool = await PoolHarness.start(make, { size: 2 })
    try {
      const stuck = pool.run('cpu.spin', [3_600_000], { limits: { hard: 1 } })
      const other = pool.run('cpu.spinUntil', [release])
      const before = pool.children
      expect(await stuck).toMatchObject({ state: 'FAILURE', kind: 'timeout', error: { args: [1] } })
      await waitFor(() => before.filter(lives).length === 1, { what: 'the child to be dead' })
      // In the killed child's replacement: the other one spins until it is let go.
      expect(await pool.resultOf('cpu.echo', ['next'])).toEqual(['next', null])
      writeFileSync(release, '')
      expect(await other).toMatchObject({ state: 'SUCCESS', result: 'spun' })
    } finally {
      await pool.pool.stop()
      rmSync(directory, { recursive: true })
    }
  })

  it('that is killed from outside fails its task with the signal, and is replaced', async () => {
    const pool = await PoolHarness.start(make)
    try {
      const [pid = 0] = pool.children
      const outcome = pool.run('cpu.deaf')
      await pool.heard('deaf')
      process.kill(pid, 'SIGKILL')
      const message = 'Worker exited prematurely: signal 9 (SIGKILL) Job: 1.'
      expect(await outcome).toMatchObject({ state: 'FAILURE', kind: 'lost', error: { message, args: [message] } })
      expect(pool.log.of('ERROR')).toEqual([`Process 'ForkPoolWorker-1' pid:${pid} exited with 'signal 9 (SIGKILL)'`])
      expect(await pool.resultOf('cpu.echo', [2])).toEqual([2, null])
    } finally {
      await pool.pool.stop()
    }
  })

  it('that is killed while it is idle is replaced', async () => {
    const pool = await PoolHarness.start(make)
    try {
      const [pid = 0] = pool.children
      process.kill(pid, 'SIGKILL')
      await waitFor(() => pool.log.of('ERROR').length === 1, { what: 'the death to be noticed' })
      expect(await pool.resultOf('cpu.echo', [2])).toEqual([2, null])
      expect(pool.children).not.toContain(pid)
    } finally {
      await pool.pool.stop()
    }
  })

  it('leaves signals that reach the whole group to its parent', async () => {
    const pool = await PoolHarness.start(make)
    try {
      const [pid = 0] = pool.children
      const outcome = pool.run('cpu.wait', [500, false])
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.kill(pid, signal)
      expect(await outcome).toMatchObject({ state: 'SUCCESS', result: 'slept' })
      expect(pool.children).toEqual([pid])
    } finally {
      await pool.pool.stop()
    }
  })
})

describe('the parent of prefork children', () => {
  it('lets their output through, and takes them along when it is killed', async () => {
    const program = `
      import { preforkPool } from ${JSON.stringify(join(ROOT, 'build/lib/executors/prefork.js'))}
      const log = { debug() {}, info() {}, warning() {}, error() {}, critical() {}, isEnabled: () => true }
      const clock = { now: Date.now, monotonic: () => performance.now(), setTimer: () => ({ cancel() {} }) }
      const source = { specifier: ${JSON.stringify(APP)}, cwd: '/', include: [] }
      const pool = preforkPool({ source, size: 1, maxTasksPerChild: null, maxMemoryPerChildKib: null, hostname: 'w', clock, log })
      await pool.start()
      console.log('child', pool.describe().processes[0])
    `
    const directory = mkdtempSync(join(tmpdir(), 'prefork-spec-'))
    const file = join(directory, 'parent.mjs')
    writeFileSync(file, program)
    const parent = spawn(process.execPath, [file], {
      env: { ...process.env, CPU_HELLO: 'hello' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    parent.stdout.on('data', (chunk) => {
      output += chunk
    })
    try {
      await waitFor(() => /child \d+\n/.test(output), { what: 'the child to be there' })
      expect(output).toContain('hello\n')
      const pid = Number(/child (\d+)/.exec(output)?.[1])
      expect(lives(pid)).toBe(true)
      parent.kill('SIGKILL')
      await waitFor(() => !lives(pid), { what: 'the child to be gone' })
    } finally {
      parent.kill('SIGKILL')
      rmSync(directory, { recursive: true })
    }
  })
})
