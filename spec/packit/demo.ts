import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Celery } from 'celeriac'
import { DemoBroker } from './broker.js'
import { chart } from './chart.js'
import { Display } from './display.js'
import { fleetFaults, fleetTable, runFleetDemo } from './fleetDemo.js'
import { generate } from './generator.js'
import { type Mode, runMode, type Stage } from './mode.js'
import { Releasers } from './releasers.js'
import { conclusion, faults, type Results, table } from './report.js'
import { PRESETS } from './workload.js'

/*
 * The same build events three times through RabbitMQ: on 8 slots without keys, on one slot, and on slots that follow the queue,
 * with keys. Ends with 0 only if the last way keeps the order, loses nothing and is 5 times as fast as one slot.
 *   --fleet   instead: through two plain workers, and through a fleet of three that come and go
 */

const BROKER_URL = process.env.CELERY_BROKER_URL ?? 'amqp://guest:guest@127.0.0.1:5672//'

/** Builds come fast, so that every way of working falls behind; run times are a 180th of the real ones. */
const WORKLOAD = { ...PRESETS.hot, seed: 375, buildGapMs: 8, runScale: 0.0055, failStartFraction: 0.1 }

/** Slower, so that workers can come and go meanwhile. */
const FLEET_WORKLOAD = { ...WORKLOAD, builds: 120, buildGapMs: 60, runScale: 0.02 }

const UNORDERED: Mode = { name: 'unordered', slots: 8, maxSlots: 8, options: ['-c', '8'], env: { PACKIT_ORDER: 'off' } }
const SERIAL: Mode = { name: 'serial', slots: 1, maxSlots: 1, options: ['-c', '1'], env: { PACKIT_ORDER: 'off' } }
const ORDERED: Mode = {
  name: 'ordered',
  slots: 1,
  maxSlots: 8,
  options: ['--autoscale=8,1'],
  // Idle slots are given up after a second rather than half a minute, so that the chart shows it.
  env: { PACKIT_ORDER: 'on', AUTOSCALE_KEEPALIVE: '1' },
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

async function main(): Promise<number> {
  const display = new Display(process.stdout)
  const releasers = new Releasers()
  const interruption = new AbortController()
  let code = 1
  for (const [signal, number] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      code = 128 + number
      interruption.abort(new Error(`interrupted by ${signal}`))
    })
  }
  // Whoever reads our output has gone: end as if interrupted.
  process.stdout.on('error', (error) => interruption.abort(error))
  try {
    code = await runAll(display, releasers, interruption.signal)
  } catch (thrown) {
    const reason = interruption.signal.aborted ? interruption.signal.reason : thrown
    display.print(`The demo failed: ${reason instanceof Error ? reason.message : reason}`)
  }
  for (const failure of await releasers.release()) {
    display.print(`Something may be left behind: ${failure.message}`)
    code ||= 1
  }
  return code
}

async function runAll(display: Display, releasers: Releasers, signal: AbortSignal): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'celeriac-demo-'))
  releasers.add(() => rm(directory, { recursive: true, force: true }))
  const broker = await DemoBroker.connect(BROKER_URL)
  releasers.add(() => broker.close())
  const app = new Celery('packit-demo', { broker_url: BROKER_URL })
  releasers.add(() => app.close())
  const isFleet = process.argv.includes('--fleet')
  const workload = isFleet ? FLEET_WORKLOAD : WORKLOAD
  const messages = generate(workload)
  const stage: Stage = { app, broker, directory, display, messages, releasers, signal }
  const { builds, chroots, failStartFraction, pairGapMs } = workload
  display.print(
    `${builds} builds in ${chroots} chroots each: a start and, ${pairGapMs} ms behind it, an end; each makes a second message.`,
  )
  display.print(`${failStartFraction * 100} % of the starts fail once and are retried. The same messages on`)
  display.print()
  if (isFleet) {
    const results = await runFleetDemo(stage)
    display.print()
    for (const line of fleetTable(results)) display.print(line)
    const found = fleetFaults(results)
    for (const fault of found) display.print(`FAILED: ${fault}`)
    return found.length === 0 ? 0 : 1
  }

  const results: Results = {
    unordered: await show('8 slots without keys', UNORDERED, stage),
    serial: await show('one slot, as it is done today', SERIAL, stage),
    ordered: await show('1 to 8 slots that follow the queue, with keys', ORDERED, stage),
  }
  display.print()
  for (const line of table(results)) display.print(line)
  display.print()
  display.print('The ordered run, from its first message until the idle slots were given up:')
  for (const line of chart(results.ordered.samples, Math.max(20, Math.min(display.width, 110) - 20)))
    display.print(line)
  display.print()

  const found = faults(results)
  for (const fault of found) display.print(`FAILED: ${fault}`)
  if (found.length === 0) display.print(conclusion(results))
  return found.length === 0 ? 0 : 1
}

async function show(what: string, mode: Mode, stage: Stage): ReturnType<typeof runMode> {
  stage.display.print(`${mode.name}: ${what}`)
  return runMode(mode, stage)
}

process.exitCode = await main()
