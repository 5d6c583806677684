import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { fleetLoad, type Scrape } from './fleetLoad.js'
import { PROMETHEUS, playRules, promtool, seriesOf, TARGET, worker } from './promtool.js'

describe('what pods are scaled on', () => {
  const fleets: ReadonlyArray<readonly [string, readonly Scrape[], number]> = [
    ['nothing to do', [worker()], 0],
    ['slots that grow are not full: half a pod', [worker({ slots: 8, busy: 8 })], 0.5],
    ['a pod that is full', [worker({ slots: 16, busy: 16 })], 1],
    ['a queue counts once, though each of three pods sees it', Array(3).fill(worker({ ready: { q: 48 } })), 3],
    ['of two views of a queue, the longer', [worker({ ready: { q: 4 } }), worker({ ready: { q: 8 } })], 0.5],
    ['queues add up', [worker({ ready: { q: 8, r: 4 }, busy: 2, reserved: 2 })], 1],
    [
      'a fleet: its queue and its lanes, each once, though the worker with the mover sees all of them',
      [worker({ ready: { q: 8, 'q.lane.0': 16, 'q.lane.1': 8 } }), worker({ ready: { 'q.lane.1': 8 } })],
      2,
    ],
    ['a busy event loop: the slots are all that it can hold', [worker({ busy: 2, loopUtilisation: 0.95 })], 1],
    ['an open breaker: what waits asks for no pod', [worker({ busy: 8, breakerOpen: true, ready: { q: 800 } })], 0.5],
  ]

  it.each(fleets)('%s', (_name, scrapes, expected) => {
    expect(fleetLoad(scrapes)).toBe(expected)
    playRules({
      series: seriesOf(scrapes),
      expressions: {
        celery_fleet_load: { [`celery_fleet_load{${TARGET}}`]: expected },
        'sum(celery_fleet_load{component="c",namespace="n"})': { '{}': expected },
      },
    })
  })

  it('keeps deployments apart', () => {
    playRules({
      series: [
        ...seriesOf([worker({ busy: 16 })]),
        ...seriesOf([worker({ busy: 8 })], 'namespace="n",component="other"'),
      ],
      expressions: {
        celery_fleet_load: {
          'celery_fleet_load{namespace="n",component="c"}': 1,
          'celery_fleet_load{namespace="n",component="other"}': 0.5,
        },
      },
    })
  })

  it('is nothing where no worker knows the queue, so that the number of pods stays as it is', () => {
    expect(fleetLoad([])).toBeNull()
    const series = seriesOf([worker()]).filter((each) => !each.series.startsWith('celery_queue_length'))
    playRules({ series, expressions: { celery_fleet_load: {} } })
  })
})

describe('the configuration', () => {
  it('of the demonstration and its rules are accepted by promtool', () => {
    expect(promtool(['check', 'config', 'prometheus.yml'])).toContain('is valid prometheus config file')
  })

  it("of a cluster is accepted, but for the discovery of pods, which Debian's build of promtool does not have", () => {
    const config = parse(readFileSync(join(PROMETHEUS, 'kubernetes.yml'), 'utf8')) as {
      scrape_configs: Record<string, unknown>[]
    }
    const [job] = config.scrape_configs
    expect(job?.kubernetes_sd_configs).toEqual([{ role: 'pod' }])
    Reflect.deleteProperty(job ?? {}, 'kubernetes_sd_configs')
    expect(promtool(['check', 'config', 'without.yml'], { 'without.yml': config })).toContain(
      'is valid prometheus config file',
    )
  })
})
