import { describe, expect, it } from '@jest/globals'
import type { FleetInfo } from '../../lib/fleet/info.js'
import { registerFleetMetrics } from '../../lib/health/fleetMetrics.js'
import { fleetsOf } from '../../lib/health/fleetSnapshot.js'
import { Metrics } from '../../lib/health/metrics.js'
import { FLEET } from './fleetInfo.js'

async function read(fleets: readonly FleetInfo[]): Promise<string[]> {
  const metrics = new Metrics()
  registerFleetMetrics(metrics, 'w@a', () => fleets)
  return (await metrics.text()).split('\n').filter((line) => /^celery_/.test(line))
}

describe('the metrics of a fleet', () => {
  it('are one series a queue', async () => {
    expect(await read([FLEET])).toEqual([
      'celery_fleet_queue_length{queue_name="builds"} 12',
      'celery_worker_fleet_members{hostname="a",queue_name="builds"} 2',
      'celery_worker_fleet_lanes{hostname="a",queue_name="builds"} 2',
      'celery_worker_fleet_lanes_draining{hostname="a",queue_name="builds"} 1',
      'celery_worker_fleet_mover{hostname="a",queue_name="builds"} 1',
      'celery_worker_fleet_moved_total{hostname="a",queue_name="builds"} 20',
    ])
  })

  it('leave the depth to the worker with the mover', async () => {
    const other = { ...FLEET, ready: null, mover: { here: false, moved: 0, trouble: null } }
    expect((await read([other])).filter((line) => line.startsWith('celery_fleet'))).toEqual([])
  })

  it('are none without a fleet', async () => {
    expect(await read([])).toEqual([])
  })
})

describe('the page of a fleet', () => {
  it('names workers as operators do, and takes the depths from whoever knows them', () => {
    const depthOf = (queue: string) => (queue === 'builds.lane.1' ? { ready: 7 } : undefined)
    const [shown] = fleetsOf({ fleets: () => [FLEET], depthOf })
    expect(shown).toMatchObject({
      queue: 'builds',
      total: 12,
      members: {
        total: 2,
        shown: [
          { name: 'w@a', leads: true, lanes: 3 },
          { name: 'w@b', leads: false },
        ],
      },
      changes: [{ moves: 1, came: ['w@b'], left: [] }],
    })
    expect(shown?.lanes.shown.map(({ holder, ready }) => [holder, ready])).toEqual([
      ['w@a', null],
      ['w@a', 7],
      ['w@a', null],
      ['w@b', null],
    ])
  })

  it('stays small, however many workers and lanes there are', () => {
    const lanes = Array.from({ length: 4096 }, (_, lane) => ({ lane, holder: null, here: 'closed' as const, ready: 0 }))
    const members = Array.from({ length: 1000 }, (_, n) => ({
      id: `${'w'.repeat(999)}${n}#1`,
      slots: 1,
      since: 0,
      lanes: 4,
    }))
    const fleets = Array.from({ length: 20 }, () => ({ ...FLEET, lanes, members }))
    expect(JSON.stringify(fleetsOf({ fleets: () => fleets, depthOf: () => undefined })).length).toBeLessThan(400_000)
  })
})
