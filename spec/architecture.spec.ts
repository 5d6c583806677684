import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'

const LIB = fileURLToPath(new URL('../lib', import.meta.url))

/** Rooms and single files of lib/, lowest first. A file may import from its own level and from those below. */
const LEVELS: readonly (readonly string[])[] = [
  [
    'settings',
    'protocol',
    'ports',
    'errors',
    'clock',
    'component',
    'stopLimit',
    'log',
    'breaker',
    'tls',
    'tracing',
    'version',
  ],
  ['app', 'request', 'trace', 'scaling', 'control', 'events', 'line', 'executors'],
  ['amqp', 'backends', 'health'],
  ['worker', 'celery', 'index'],
  ['cli'],
]

/** Outside packages and the one place through which each comes in. */
const DOORS: Readonly<Record<string, string>> = {
  '@opentelemetry/api': 'tracing.ts',
  '@msgpack/msgpack': 'protocol/content/msgpack',
  amqplib: 'amqp/',
  commander: 'cli/',
  ioredis: 'backends/redis',
  'lru-cache': 'request/limitedSet.ts',
  opossum: 'breaker.ts',
  piscina: 'executors/threads.ts',
  'prom-client': 'health/metrics.ts',
  re2js: 'control/nodePattern.ts',
  'seek-bzip': 'protocol/content/compression.ts',
  tinyqueue: 'line/pool.ts',
  winston: 'log/log.ts',
  yaml: 'protocol/content/yaml',
}

const LONGEST_FILE = 250

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(LIB, file), 'utf8')
  return [...text.matchAll(/(?:import|export)\s+(type\s+)?(?:[\w*{][^'"]*?\s+from\s+)?['"]([^'"]+)['"]/g)].map(
    (found) => ({
      from: file,
      to: found[2] ?? '',
      typeOnly: found[1] !== undefined,
    }),
  )
})

const inside = imports
  .filter(({ to }) => to.startsWith('.'))
  .map(({ from, to, typeOnly }) => ({
    from,
    to: relative(LIB, join(LIB, dirname(from), to)).replace(/\.js$/, '.ts'),
    typeOnly,
  }))

function levelOf(file: string): number {
  const room = file.split('/')[0]?.replace(/\.ts$/, '') ?? ''
  return LEVELS.findIndex((level) => level.includes(room))
}

describe('lib/', () => {
  it('has imports to look at', () => {
    expect(files.length).toBeGreaterThan(30)
    expect(inside.length).toBeGreaterThan(100)
  })

  it('has a level for each of its files', () => {
    expect(files.filter((file) => levelOf(file) < 0)).toEqual([])
  })

  it('imports in one direction only', () => {
    expect(inside.filter(({ from, to }) => levelOf(to) > levelOf(from))).toEqual([])
  })

  it('has no circle of imports', () => {
    const next = new Map<string, string[]>()
    for (const { from, to, typeOnly } of inside) if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to])
    const clear = new Set<string>()
    const circles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      else if (!clear.has(file)) for (const to of next.get(file) ?? []) visit(to, [...path, file])
      clear.add(file)
    }
    for (const file of files) visit(file, [])
    expect(circles).toEqual([])
  })

  it('lets each outside package in by one door', () => {
    const astray = imports.filter(({ from, to }) => {
      if (to.startsWith('.') || to.startsWith('node:')) return false
      const door = DOORS[to]
      return door === undefined || !from.startsWith(door)
    })
    expect(astray).toEqual([])
  })

  it('has no file too long to be read in one go', () => {
    const long = files.filter((file) => readFileSync(join(LIB, file), 'utf8').split('\n').length - 1 > LONGEST_FILE)
    expect(long).toEqual([])
  })
})
