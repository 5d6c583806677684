import { afterEach, describe, expect, it } from '@jest/globals'
import { killAllPrograms, runProgram } from './support/program.js'
import { ROOT } from './support/workerProgram.js'

interface Weight {
  /** By package: how many of its files are loaded. */
  readonly packages: Readonly<Record<string, number>>
  /** Files of our own. */
  readonly own: readonly string[]
}

/** What a program has loaded that does this with the package. */
async function weightOf(what: string): Promise<Weight> {
  const program = runProgram(process.execPath, ['build/apps/weight.js', what], { cwd: ROOT })
  await program.exited
  expect(program.stderr).toBe('')
  return JSON.parse(program.stdout) as Weight
}

describe('what is loaded', () => {
  afterEach(killAllPrograms)

  it('by an import of the package is what defines tasks: no broker, no backend, no worker', async () => {
    const { own, packages } = await weightOf('import')
    expect(Object.keys(packages)).toEqual([])
    const rooms = new Set(own.map((file) => file.split('/')[0]))
    for (const room of ['amqp', 'memory', 'cli', 'line', 'executors', 'scaling', 'control', 'health', 'request']) {
      expect([...rooms]).not.toContain(room)
    }
    expect(own.length).toBeLessThan(135)
  })

  it('by a worker on memory:// that has run a task is what it has used', async () => {
    const { own, packages } = await weightOf('worker')
    expect(Object.keys(packages).sort()).toEqual(['opossum', 'tinyqueue'])
    expect(own).not.toContain('health/page.js')
    expect(own).not.toContain('cli/main.js')
  })

  it('by what is used besides comes with it', async () => {
    const { packages } = await weightOf('everything')
    const names = Object.keys(packages)
    for (const name of ['winston', 'prom-client', 'yaml', '@msgpack/msgpack', 'ioredis', 'amqplib']) {
      expect(names).toContain(name)
    }
  })
})
