import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { RemoteError, Worker } from '../../lib/index.js'
import { createShop } from './shop.js'

const WAIT = { timeout: 60 }

describe('a small application', () => {
  let shop: ReturnType<typeof createShop>
  let worker: Worker

  beforeEach(async () => {
    shop = createShop(`memory://${randomUUID()}`)
    worker = new Worker(shop.app, { withoutHttp: true })
    await worker.start()
    await worker.ready
  })

  afterEach(async () => {
    await worker.stop()
    await shop.app.close()
  })

  it('runs its tasks, with types from one end to the other', async () => {
    const { add, fulfil, ship, take, track, whoami } = shop.tasks
    const sum: number = await (await add.delay(1, 2)).get(WAIT)
    expect(sum).toBe(3)
    const asked = await whoami.delay()
    expect(await asked.get(WAIT)).toBe(asked.id)
    expect(await (await take.delay('pear')).get(WAIT)).toBe(2)
    const done = await (await fulfil.delay({ order: { id: 7, items: ['pear', 'pear'] } })).get(WAIT)
    expect(done).toEqual({ id: 7, left: [1, 0], at: 42 })
    const dry = await fulfil.applyAsync([], { order: { id: 8, items: ['plum'] }, dryRun: true }, { countdown: 0 })
    expect((await dry.get(WAIT)).left).toEqual([])
    expect(await (await ship.delay('a')).get(WAIT)).toBe('shipped a')
    expect(await (await track.delay({ parcel: 'a' })).get(WAIT)).toBe('a is unknown')
    expect(shop.journal.slice(0, 3)).toEqual(['hello true', 'shop.add for orchard', 'shop.whoami for orchard'])
  })

  it('tells of failures, and closes what it has opened', async () => {
    await expect((await shop.tasks.take.delay('plum')).get(WAIT)).rejects.toThrow(RemoteError)
    await worker.stop()
    expect(shop.journal.slice(1)).toEqual([
      'shop.take for orchard',
      'shop.take: plum is sold out',
      'shop.take failed: plum',
      'bye',
    ])
    expect(shop.stock.journal).toEqual(['closed'])
  })
})
