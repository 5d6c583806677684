import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Celery } from '../../lib/celery.js'
import type { Worker } from '../../lib/worker/worker.js'
import { startWorker } from '../support/inProcessWorker.js'
import { ownBroker } from '../support/ownBroker.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { randomQueue } from '../support/randomName.js'

const SCRIPT = fileURLToPath(new URL('ownCommands.py', import.meta.url))
/** Celery 5.2's command line reads the names of commands before it loads the app. */
const KNOWING = 'import sys, ownCommands; from celery.bin.celery import main; sys.exit(main())'
const brokerUrl = ownBroker()

describe("an app's own commands, asked for by Python", () => {
  let worker: Worker
  let nodename: string

  beforeAll(async () => {
    const app = new Celery('own', { broker_url: brokerUrl() })
      .inspectCommand('stock', {
        args: { sku: 'text', least: 'int?' },
        help: 'Pieces in stock',
        run: ({ least, sku }) => [sku, least ?? 'any'],
      })
      .controlCommand('surcharge', {
        args: { factor: 'float' },
        help: 'Set it.',
        run: async ({ factor }) => ({ ok: factor }),
      })
      .controlCommand('broken', {
        help: 'Fail.',
        run: () => {
          throw new RangeError('no such shelf')
        },
      })
      .controlCommand('unsendable', { help: 'Reply what JSON has no form for.', run: () => Symbol('shelf') })
    const started = await startWorker(app, brokerUrl(), randomQueue())
    worker = started.worker
    nodename =
      started.log
        .of('INFO')
        .find((line) => line.endsWith(' ready.'))
        ?.split(' ')[0] ?? ''
  })

  afterAll(async () => {
    await killAllPrograms()
    await worker.stop()
  })

  async function python(...args: string[]): Promise<string> {
    const env = { ...process.env, PYTHONPATH: dirname(SCRIPT), PYTHONDONTWRITEBYTECODE: '1' }
    const program = runProgram(PYTHON, args, { env })
    await program.exited
    return program.stdout || program.stderr
  }

  const celery = (kind: string, ...args: string[]): Promise<string> =>
    python('-c', KNOWING, '-C', '-A', 'ownCommands', '-b', brokerUrl(), kind, '-t', '30', '-d', nodename, '-j', ...args)

  async function broadcast(command: string, args: object): Promise<unknown> {
    const [reply] = JSON.parse(await python(SCRIPT, brokerUrl(), command, JSON.stringify(args)))
    return reply[nodename]
  }

  it("are answered to its command line, with the arguments' types", async () => {
    expect(JSON.parse(await celery('inspect', 'stock', 'lamp', '3'))).toEqual({ [nodename]: ['lamp', 3] })
    expect(await celery('control', 'surcharge', '1.5')).toContain('1.5')
  })

  it.each([
    ['stock', { sku: 'lamp' }, ['lamp', 'any']],
    ['surcharge', { factor: 2 }, { ok: 2 }],
    ['stock', {}, { error: 'TypeError("stock() missing 1 required positional argument: \'sku\'")' }],
    ['stock', { sku: 'a', x: 1 }, { error: 'TypeError("stock() got an unexpected keyword argument \'x\'")' }],
    ['stock', { sku: 'a', least: 'x' }, { error: 'TypeError("\'str\' object cannot be interpreted as an integer")' }],
    ['stock', { sku: 7 }, { error: "ValueError('sku must be a text')" }],
    ['broken', {}, { error: "ValueError('no such shelf')" }],
    ['unsendable', {}, { error: expect.stringContaining('TypeError(') }],
    ['ping', {}, { ok: 'pong' }],
  ])('are answered to broadcast: %s %j', async (command, args, expected) => {
    expect(await broadcast(command, args)).toEqual(expected)
  })
})
