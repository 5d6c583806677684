import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { circlesOf, importsOf, levelOf, upwards } from './support/imports.js'

const LIB = fileURLToPath(new URL('../lib', import.meta.url))

/** Rooms and single files of lib/, lowest first. A file may import from its own level and from those below, types included. */
const LEVELS: readonly (readonly string[])[] = [
  ['errors', 'lazily', 'listeners', 'registers', 'version'],
  ['protocol'],
  ['ports'],
  ['containers', 'settings', 'clock', 'component', 'stopLimit', 'tracing'],
  ['log', 'breaker'],
  ['broker'],
  ['canvas'],
  ['app', 'backends'],
  ['request'],
  ['trace', 'events'],
  ['executors'],
  ['line'],
  ['scaling'],
  ['fleet'],
  ['control'],
  ['amqp', 'memory', 'health', 'conformance'],
  ['worker', 'celery', 'index'],
  ['testing'],
  ['cli'],
]

/** Outside packages and the one place through which each comes in. */
const DOORS: Readonly<Record<string, string>> = {
  '@opentelemetry/api': 'tracing.ts',
  '@msgpack/msgpack': 'protocol/content/msgpack',
  amqplib: 'amqp/',
  commander: 'cli/',
  ioredis: 'backends/redis',
  opossum: 'breaker.ts',
  'prom-client': 'health/metrics.ts',
  re2js: 'control/nodePattern.ts',
  'seek-bzip': 'protocol/content/compression.ts',
  tinyqueue: 'containers/priorityQueue.ts',
  winston: 'log/log.ts',
  yaml: 'protocol/content/yaml',
}

/** The implementations of `broker/broker.ts`. */
const BROKERS = ['amqp/', 'memory/']

const LONGEST_FILE = 250
const MOST_AT_THE_TOP = 12

const files = new Map(
  readdirSync(LIB, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, readFileSync(join(LIB, file), 'utf8')]),
)
const imports = importsOf(files)

describe('lib/', () => {
  it('has imports to look at', () => {
    expect(files.size).toBeGreaterThan(30)
    expect(imports.filter(({ isInside }) => isInside).length).toBeGreaterThan(100)
  })

  it('has a level for each of its files', () => {
    expect([...files.keys()].filter((file) => levelOf(file, LEVELS) < 0)).toEqual([])
  })

  it('imports in one direction only, types as well', () => {
    expect(upwards(imports, LEVELS)).toEqual([])
  })

  it('has no circle of files, by types neither', () => {
    expect(circlesOf(imports)).toEqual([])
  })

  it('knows the brokers behind the port in worker/ alone', () => {
    const isBroker = (file: string): boolean => BROKERS.some((room) => file.startsWith(room))
    const astray = imports.filter(({ from, to }) => isBroker(to) && !isBroker(from) && from !== 'worker/brokers.ts')
    expect(astray).toEqual([])
  })

  it('lets each outside package in by one door', () => {
    const astray = imports.filter(({ from, to, isInside }) => {
      if (isInside || to.startsWith('node:')) return false
      const door = DOORS[to]
      return door === undefined || !from.startsWith(door)
    })
    expect(astray).toEqual([])
  })

  it('has no file too long to be read in one go', () => {
    expect([...files].filter(([, text]) => text.split('\n').length - 1 > LONGEST_FILE).map(([file]) => file)).toEqual(
      [],
    )
  })

  it('has rooms, and few files outside them', () => {
    expect([...files.keys()].filter((file) => !file.includes('/')).length).toBeLessThanOrEqual(MOST_AT_THE_TOP)
  })
})

describe('the order of the rooms', () => {
  const levels = [['base'], ['middle'], ['top']]
  const tree = (text: string): ReadonlyMap<string, string> =>
    new Map([
      ['base/part.ts', text],
      ['middle/whole.ts', "import { part } from '../base/part.js'\n"],
      ['top.ts', "export { whole } from './middle/whole.js'\n"],
    ])

  it.each([
    ["import { whole } from '../middle/whole.js'", ['base/part.ts -> middle/whole.ts']],
    ["import type { Whole } from '../middle/whole.js'", ['base/part.ts -> middle/whole.ts']],
    ["export type { Whole } from '../middle/whole.js'", ['base/part.ts -> middle/whole.ts']],
    ["const { top } = await import('../top.js')", ['base/part.ts -> top.ts']],
    ["import { repr } from 'node:util'", []],
  ])('%s', (text, wrong) => {
    expect(upwards(importsOf(tree(text)), levels)).toEqual(wrong)
  })

  it('sees circles that are made of types', () => {
    expect(circlesOf(importsOf(tree("import type { Whole } from '../middle/whole.js'")))).toEqual([
      'base/part.ts -> middle/whole.ts -> base/part.ts',
    ])
    expect(circlesOf(importsOf(tree('')))).toEqual([])
  })
})
