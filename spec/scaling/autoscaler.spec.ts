import { afterEach, describe, expect, it } from '@jest/globals'
import { Pool } from '../../lib/line/pool.js'
import { WorkerState } from '../../lib/request/state.js'
import { Autoscaler } from '../../lib/scaling/autoscaler.js'
import { Capacity } from '../../lib/scaling/capacity.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

const INTERVAL = 1000

/** An autoscaler of a pool in which nothing runs; what is ready, and what is in the way, is set from outside. */
class Bench {
  readonly clock = new FakeClock()
  readonly log = new MemoryLog()
  ready = 0
  breaker: string | null = null
  loopUtilisation = 0
  asked = 0
  readonly state = new WorkerState()
  readonly pool: Pool
  readonly autoscaler: Autoscaler

  constructor({ memoryCeiling = null, max = 10 }: { memoryCeiling?: number | null; max?: number } = {}) {
    const { clock, log, state } = this
    this.pool = new Pool({
      size: 2,
      state,
      onResize: () => undefined,
      run: async () => undefined,
      abandon: () => undefined,
    })
    this.autoscaler = new Autoscaler({
      clock,
      log,
      state,
      pool: this.pool,
      capacity: new Capacity({ state, multiplier: 1, parkedLimit: 1000, log }),
      bounds: { max, min: 2, targetWaitMs: 1000, keepaliveMs: 30_000 },
      intervalMs: INTERVAL,
      memoryCeiling,
      heldUpBy: () => this.breaker,
      loopUtilisation: () => this.loopUtilisation,
    })
    this.autoscaler.attach({
      queues: () => ['q'],
      depth: async () => {
        this.asked++
        return new Map([['q', { ready: this.ready, consumers: 2 }]])
      },
      consumers: () => 2,
      resize: () => undefined,
    })
  }

  /** Runs that don't end. */
  occupy(count: number): void {
    for (let n = 0; n < count; n++) this.state.running.add({ delivery: { queue: 'q' }, startedAt: 0 } as never)
  }

  async tick(): Promise<void> {
    await this.advance(INTERVAL)
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms)
    await new Promise(setImmediate)
  }

  get told(): Array<[string, number]> {
    return this.autoscaler.decisions.map(({ reason, slots }) => [reason, slots])
  }

  get lines(): readonly string[] {
    return this.log.of('INFO')
  }
}

let bench: Bench
afterEach(() => bench.autoscaler.stop())

describe('a decision', () => {
  it('is remembered with its reason, logged and counted', async () => {
    bench = new Bench()
    await bench.autoscaler.start()
    bench.ready = 5
    await bench.tick()
    bench.ready = 0
    for (let tick = 0; tick < 40; tick++) await bench.tick()
    expect(bench.told).toEqual([
      ['backlog', 5],
      ['idle', 2],
    ])
    expect(bench.lines).toEqual(['Scaling up 3 slots to 5: backlog', 'Scaling down 3 slots to 2: idle'])
    expect([...bench.autoscaler.counts]).toEqual([
      ['backlog', 1],
      ['idle', 1],
    ])
    expect(bench.autoscaler.decisions[0]).toMatchObject({ detail: { depth: 5 }, heldBack: false })
  })
})

describe('the time of runs', () => {
  it.each([
    ['counts the way to the broker', 0, 10],
    ['does not count slots whose messages wait for their order key', 2, 1],
  ])('%s', async (_, excess, serviceMs) => {
    bench = new Bench()
    await bench.autoscaler.start()
    for (let n = 0; n < excess; n++) bench.state.exceed('q', 1)
    bench.ready = 2
    for (let tick = 0; tick < 10; tick++) {
      bench.state.received += 200
      bench.state.completed += 200
      bench.state.serviceMsTotal += 200
      await bench.tick()
    }
    bench.ready = 5000
    await bench.tick()
    expect(bench.autoscaler.decisions.at(-1)?.detail.serviceMs).toBe(serviceMs)
  })
})

describe('holding back', () => {
  it.each([
    ['an open breaker', {}, 'breaker-open', 'breaker service is open'],
    [
      'a saturated loop',
      {},
      'saturated-loop',
      'the event loop is saturated, and another slot would take its time from the others',
    ],
    ['a full memory', { memoryCeiling: 1024 }, 'memory', 'the memory that the process may have is nearly all in use'],
  ])('for %s is told once, with its reason', async (_, parts, reason, why) => {
    bench = new Bench(parts)
    await bench.autoscaler.start()
    if (reason === 'breaker-open') bench.breaker = 'service'
    if (reason === 'saturated-loop') bench.loopUtilisation = 1
    await bench.tick()
    await bench.tick()
    expect(bench.told).toEqual([])
    bench.ready = 50
    for (let tick = 0; tick < 5; tick++) await bench.tick()
    expect(bench.pool.size).toBe(2)
    expect(bench.told).toEqual([[reason, 2]])
    expect(bench.autoscaler.decisions[0]).toMatchObject({ heldBack: true })
    expect(bench.lines).toEqual([`Not scaling up from 2 slots: ${why}`])
    expect([...bench.autoscaler.counts]).toEqual([[reason, 1]])
  })

  it('for a breaker that opens again is told again, and for another, too', async () => {
    bench = new Bench()
    await bench.autoscaler.start()
    bench.ready = 50
    for (const breaker of ['service', 'service', 'other', 'other']) {
      bench.breaker = breaker
      await bench.tick()
    }
    bench.ready = 0
    bench.breaker = null
    await bench.tick()
    bench.ready = 50
    bench.breaker = 'other'
    await bench.tick()
    expect(bench.lines.map((line) => line.split(': ')[1])).toEqual([
      'breaker service is open',
      'breaker other is open',
      'breaker other is open',
    ])
  })

  it('at the most that is allowed is told once the most is reached', async () => {
    bench = new Bench()
    await bench.autoscaler.start()
    bench.ready = 50
    for (let tick = 0; tick < 5; tick++) await bench.tick()
    expect(bench.told).toEqual([
      ['backlog', 10],
      ['bounds', 10],
    ])
    expect(bench.lines.at(-1)).toBe('Not scaling up from 10 slots: --autoscale allows no more')
  })

  it('is not told of a pool whose size is fixed', async () => {
    bench = new Bench({ max: 2 })
    await bench.autoscaler.start()
    bench.ready = 50
    for (let tick = 0; tick < 5; tick++) await bench.tick()
    expect(bench.told).toEqual([])
    expect(bench.lines).toEqual([])
  })
})

describe('a tick before its time', () => {
  it('comes when every slot is busy, and less often as long as it opens none', async () => {
    bench = new Bench()
    await bench.autoscaler.start()
    await bench.tick()
    expect(bench.asked).toBe(1)
    const at: number[] = []
    for (let ms = 10; ms <= 400; ms += 5) {
      const before = bench.asked
      bench.autoscaler.tickEarly()
      await bench.advance(5)
      if (bench.asked > before) at.push(ms - 5)
    }
    expect(at).toEqual([10, 20, 45, 95, 195, 295, 395])
  })

  it('comes again by itself while all slots are busy and something waits, for which no slot was opened', async () => {
    bench = new Bench()
    await bench.autoscaler.start()
    await bench.tick()
    // Runs that take next to nothing: two slots are enough for what waits.
    bench.state.completed = 100
    bench.state.serviceMsTotal = 100
    bench.ready = 1
    bench.occupy(2)
    await bench.tick()
    const at: number[] = []
    for (let ms = 0; ms <= 100; ms += 5) {
      const before = bench.asked
      bench.state.completed += 10
      bench.state.serviceMsTotal += 10
      await bench.advance(5)
      if (bench.asked > before) at.push(ms + 5)
    }
    expect(at).toEqual([10, 20, 45, 95])
    bench.ready = 0
    await bench.advance(100)
    const before = bench.asked
    await bench.advance(INTERVAL - 100)
    expect(bench.asked).toBe(before)
  })

  it('does not come while growth is held back', async () => {
    bench = new Bench()
    await bench.autoscaler.start()
    bench.ready = 50
    bench.breaker = 'service'
    await bench.tick()
    for (let ms = 0; ms < 900; ms += 25) {
      bench.autoscaler.tickEarly()
      await bench.advance(25)
    }
    expect(bench.asked).toBe(1)
  })
})
