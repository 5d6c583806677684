import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import { Board } from '../../../lib/cli/events/board.js'

const NOON = Date.UTC(2026, 0, 1, 12) / 1000

describe('the live view', () => {
  const event = (type: string, fields: Record<string, unknown> = {}) => ({
    type,
    hostname: 'w@h',
    timestamp: NOON,
    local_received: NOON,
    ...fields,
  })
  const shown = (board: Board, now = NOON, rows = 20, columns = 200): string[] =>
    board.lines({ columns, now, rows }).map(({ text }) => text.trimEnd())

  it('shows workers until two heartbeats are missed or they say goodbye', () => {
    const board = new Board()
    board.take(event('worker-heartbeat', { active: 3, processed: 20, loadavg: [0.5, 1.25, 2], freq: 2 }))
    const row = (status: string): string => `w@h                   ${status}       3         20  0.5 1.25 2`
    expect(shown(board)).toContain(row('online '))
    expect(shown(board, NOON + 3.9)[0]).toContain('1 of 1 workers online')
    expect(shown(board, NOON + 4)[0]).toContain('0 of 1 workers online')
    board.take(event('worker-offline'))
    expect(shown(board)).toContain(row('offline'))
  })

  it('forgets the workers that it has heard of least lately, once there are too many', () => {
    const board = new Board()
    const online = (n: number): void => board.take(event('worker-heartbeat', { hostname: `w${n}@h`, freq: n }))
    for (let n = 0; n < 5000; n++) online(n)
    online(0)
    online(5000)
    expect(shown(board)[0]).toContain('of 5000 workers online')
    const names = shown(board, NOON, 20_000).map((line) => line.split(' ')[0])
    expect([names.includes('w0@h'), names.includes('w1@h'), names.includes('w2@h')]).toEqual([true, false, true])
  })

  it('keeps little of long texts, whatever an event says', () => {
    const gc = collector()
    const board = new Board()
    const long = (n: number): string => `${n}${'x'.repeat(2_000_000)}`
    gc()
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < 40; n++) {
      const hostname = parsed(long(n))
      board.take(
        event('task-received', { uuid: parsed(long(n)), name: parsed(long(n)), args: parsed(long(n)), hostname }),
      )
      board.take(event(`worker-${parsed(long(n))}`, { hostname, active: parsed(long(n)), loadavg: [parsed(long(n))] }))
      board.take(event(`task-${parsed(long(n))}`, { uuid: parsed(long(n)) }))
    }
    gc()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(40_000_000)
    expect(shown(board).join('\n')).toContain('39xxx')
  })

  it('shows tasks, those that changed last on top, with how they ended', () => {
    const board = new Board()
    board.take(event('task-received', { uuid: 'a', name: 't.add' }))
    board.take(event('task-received', { uuid: 'b', name: 't.mul' }))
    board.take(event('task-succeeded', { uuid: 'a', runtime: 0.25 }))
    const lines = shown(board)
    const at = lines.findIndex((line) => line.startsWith('TASK'))
    expect(lines[at + 1]).toBe(`${'a'.padEnd(36)}  SUCCESS   12:00:00   0.250s  t.add (w@h)`)
    expect(lines[at + 2]).toBe(`${'b'.padEnd(36)}  RECEIVED  12:00:00           t.mul (w@h)`)
  })

  it('leaves a task that has ended as it is when an older event comes late', () => {
    const board = new Board()
    board.take(event('task-failed', { uuid: 'a' }))
    board.take(event('task-started', { uuid: 'a' }))
    expect(shown(board).join('\n')).toMatch(/^a {37}FAILURE {3}/m)
  })

  it('lists the last events first, without heartbeats', () => {
    const board = new Board()
    board.take(event('worker-online'))
    board.take(event('worker-heartbeat'))
    board.take(event('task-received', { uuid: 'a', name: 't.add' }))
    board.note('the broker is away')
    expect(shown(board).slice(-3)).toEqual([
      'the broker is away',
      '12:00:00 w@h task received t.add(a)',
      '12:00:00 w@h started',
    ])
  })

  it('fits the screen, however much there is, and lets no text move the cursor', () => {
    const board = new Board()
    for (let number = 0; number < 1000; number++) {
      board.take(event('worker-heartbeat', { hostname: `w${number}@h` }))
      board.take(event('task-received', { uuid: String(number), name: '\u001b[2J\r\nevil' }))
    }
    for (const [columns, rows] of [
      [80, 24],
      [20, 5],
      [300, 100],
    ] as const) {
      const lines = shown(board, NOON, rows, columns)
      expect(lines).toHaveLength(rows)
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
      expect(lines.join('')).not.toMatch(/\p{Cc}/u)
    }
  })
})

/** As a text arrives: of one piece. */
function parsed(text: string): string {
  return JSON.parse(JSON.stringify(text))
}

function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
