import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Releasers } from '../packit/releasers.js'
import { startRabbitmq } from '../support/rabbitmq.js'
import { startRedis } from '../support/redis.js'
import { CASES } from './cases/index.js'
import { Desk } from './desk.js'
import type { Case } from './findings.js'
import { type Flags, parseFlags, USAGE } from './flags.js'
import { describeMachine } from './machine.js'
import { picture } from './picture.js'
import { conclusion, json, lines, type Outcome, type Report, withEarlier } from './report.js'
import { FULL, QUICK, type Stand } from './stand.js'

/*
 * Runs the cases one after the other against a private RabbitMQ and Redis, prints what they found, and writes it down. Ends with 0
 * if every case could be run, whether or not its targets were reached.
 */

/** Cases beside each other where nobody judges the figures: most of a short one is waiting for workers to start. */
const QUICK_AT_A_TIME = 3

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const

async function main(argv: readonly string[]): Promise<number> {
  let flags: Flags
  try {
    flags = parseFlags(
      argv,
      CASES.map(({ name }) => name),
    )
  } catch (thrown) {
    console.error(thrown instanceof Error ? thrown.message : thrown)
    return 2
  }
  if (flags.help) {
    console.log(`${USAGE}\nCases: ${CASES.map(({ name }) => name).join(', ')}`)
    return 0
  }
  const interruption = new AbortController()
  let code = 1
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      code = 128 + constants.signals[signal]
      interruption.abort(new Error(`interrupted by ${signal}`))
    })
  }
  const releasers = new Releasers()
  try {
    const stand = await setUp(flags, releasers, interruption.signal)
    code = await bench(flags, stand)
  } catch (thrown) {
    console.error(`The bench failed: ${thrown instanceof Error ? thrown.message : thrown}`)
  }
  for (const failure of await releasers.release()) {
    console.error(`Something may be left behind: ${failure.message}`)
    code ||= 1
  }
  return code
}

async function setUp({ quick }: Flags, releasers: Releasers, signal: AbortSignal): Promise<Stand> {
  const directory = await mkdtemp(join(tmpdir(), 'celeriac-bench-'))
  releasers.add(() => rm(directory, { recursive: true, force: true }))
  const broker = await startRabbitmq()
  releasers.add(() => broker.dispose())
  const redis = await startRedis()
  releasers.add(() => redis.dispose())
  const desk = await Desk.open(broker.url)
  releasers.add(() => desk.close())
  signal.throwIfAborted()
  return { broker, redis, desk, directory, signal, scale: quick ? QUICK : FULL }
}

async function bench({ json: jsonFile, only, quick, svg }: Flags, stand: Stand): Promise<number> {
  const machine = await describeMachine(stand.desk)
  console.log(`${machine}.\n`)
  const cases = CASES.filter(({ name, slow }) => (only.length > 0 ? only.includes(name) : !quick || !slow))
  const found = new Map<Case, Outcome>()
  const left = cases.values()
  const runThem = async (): Promise<void> => {
    for (const each of left) {
      const outcome = await runCase(each, stand)
      found.set(each, outcome)
      console.log(`${lines(outcome, quick).join('\n')}\n`)
    }
  }
  await Promise.all(Array.from({ length: quick ? QUICK_AT_A_TIME : 1 }, runThem))
  const outcomes = cases.flatMap((each) => found.get(each) ?? [])
  const run: Report = { date: new Date().toISOString().slice(0, 10), machine, quick, outcomes }
  console.log(conclusion(run))
  const earlier = only.length > 0 && jsonFile !== null ? await readFile(jsonFile, 'utf8').catch(() => null) : null
  const report = earlier === null ? run : withEarlier(run, JSON.parse(earlier) as Report)
  if (jsonFile !== null) await writeFile(jsonFile, json(report))
  if (svg !== null) await writeFile(svg, picture(report))
  return outcomes.every(({ findings }) => findings) ? 0 : 1
}

/** @throws the signal's reason; any other failure is the case's outcome */
async function runCase({ name, run, title }: Case, stand: Stand): Promise<Outcome> {
  const begun = performance.now()
  const seconds = (): number => (performance.now() - begun) / 1000
  try {
    return { name, title, findings: await run(stand), error: null, seconds: seconds() }
  } catch (thrown) {
    stand.signal.throwIfAborted()
    return {
      name,
      title,
      findings: null,
      error: thrown instanceof Error ? thrown.message : String(thrown),
      seconds: seconds(),
    }
  }
}

process.exitCode = await main(process.argv.slice(2))
