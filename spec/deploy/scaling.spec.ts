import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import type { IHorizontalPodAutoscalerSpec } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscalerSpec'
import type { Arrival } from '../scaling/scenario.js'
import { burst, poisson } from '../scaling/traces.js'
import { Fleet, type Moment } from './fleet.js'
import { KUBERNETES, render } from './manifest.js'
import { PodAutoscaler } from './podAutoscaler.js'
import { workerSettings } from './workerSettings.js'

const MINUTE = 60_000

/** Both levels as prod has them. */
let spec: IHorizontalPodAutoscalerSpec
let bounds: { readonly max: number; readonly min: number }

beforeAll(async () => {
  const manifests = render(join(KUBERNETES, 'overlays/prod')) as unknown as (IDeployment | IHorizontalPodAutoscaler)[]
  for (const manifest of manifests) {
    if (manifest.metadata?.name !== 'short-running-worker') continue
    if (manifest.kind === 'HorizontalPodAutoscaler' && manifest.spec) spec = manifest.spec
    if (manifest.kind !== 'Deployment') continue
    const { settings } = await workerSettings(manifest.spec?.template.spec?.containers[0]?.args ?? [], {})
    bounds = settings.worker_autoscale ?? { max: 0, min: 0 }
  }
})

/** Tasks of about a second, so that a rate of so many a second keeps so many slots busy. */
function load(rate: (minute: number) => number, peakRate: number, minutes: number): Arrival[] {
  const serviceMs = (_ms: number, random: () => number): number => 500 + random() * 1000
  return poisson({ rate: (ms) => rate(ms / MINUTE), peakRate, untilMs: minutes * MINUTE, serviceMs }, 7)
}

function play(arrivals: readonly Arrival[], minutes: number): Fleet {
  return new Fleet({ bounds, arrivals, untilMs: minutes * MINUTE, autoscaler: new PodAutoscaler(spec) }).run()
}

const pods = ({ moments }: Fleet): number[] => moments.map((moment) => moment.pods)

/** The moments at which pods were asked for, as they were just before. */
function growths({ moments }: Fleet): Moment[] {
  return moments.filter(({ pods }, index) => pods < (moments[index + 1]?.pods ?? 0))
}

/** How often the number of pods turned from growing to shrinking or back. */
function turns(fleet: Fleet): number {
  const steps = pods(fleet).map((count, index, all) => Math.sign(count - (all[index - 1] ?? count)))
  return steps.filter((step) => step !== 0).filter((step, index, all) => index > 0 && step !== all[index - 1]).length
}

/** Milliseconds that all but a twentieth of the tasks sent in these minutes waited at most. */
function p95({ waits }: Fleet, from: number, to: number): number {
  const within = waits.filter(({ at }) => at >= from * MINUTE && at < to * MINUTE).map(({ ms }) => ms)
  return within.toSorted((a, b) => a - b)[Math.ceil(within.length * 0.95) - 1] ?? 0
}

describe('slots and pods together', () => {
  it('a step that the slots of one pod can take: slots grow and shrink, pods do not', () => {
    const fleet = play(
      load((minute) => (minute >= 2 && minute < 7 ? 11 : 2), 11, 10),
      10,
    )
    expect(new Set(pods(fleet))).toEqual(new Set([1]))
    const slotsIn = (from: number, to: number): number[] =>
      fleet.moments.filter(({ at }) => at > from * MINUTE && at <= to * MINUTE).map(({ slots }) => slots)
    expect(Math.max(...slotsIn(0, 2))).toBeLessThan(10)
    expect(Math.max(...slotsIn(2, 7))).toBe(bounds.max)
    expect(Math.max(...slotsIn(9, 10))).toBeLessThan(10)
    expect(p95(fleet, 0, 10)).toBeLessThan(1000)
  })

  it('a burst that full slots clear in half a minute starts no pod', () => {
    const fleet = play(burst(500, 200, 10_000), 3)
    expect(new Set(pods(fleet))).toEqual(new Set([1]))
    expect(Math.max(...fleet.moments.map(({ slots }) => slots))).toBe(bounds.max)
    expect(fleet.waits).toHaveLength(500)
  })

  describe('a step far beyond one pod, and down again', () => {
    let fleet: Fleet
    let arrivals: readonly Arrival[]
    beforeAll(() => {
      arrivals = load((minute) => (minute < 2 ? 4 : minute < 15 ? 50 : 5), 50, 30)
      fleet = play(arrivals, 31)
    })

    it('pods are asked for only when every slot of those that there are is open and busy', () => {
      expect(growths(fleet).length).toBeGreaterThan(0)
      for (const { busy, slots, started } of growths(fleet)) {
        expect([slots, busy]).toEqual([started * bounds.max, started * bounds.max])
      }
    })

    it('the number of pods goes up once and down once, and back to one', () => {
      expect(turns(fleet)).toBe(1)
      expect(Math.max(...pods(fleet))).toBeGreaterThanOrEqual(4)
      expect(fleet.moments.at(-1)).toMatchObject({ pods: 1, started: 1 })
    })

    it('while the high load lasts, pods settle at what it needs', () => {
      const settled = fleet.moments.filter(({ at }) => at > 12 * MINUTE && at < 15 * MINUTE)
      // 50 tasks a second of a second each.
      for (const { pods } of settled) expect([4, 5]).toContain(pods)
    })

    it('nobody starves: a wait is never longer than the pods took to come, and is short when they are there', () => {
      expect(fleet.waits).toHaveLength(arrivals.length)
      expect(Math.max(...fleet.waits.map(({ ms }) => ms))).toBeLessThan(75_000)
      expect(p95(fleet, 6, 15)).toBeLessThan(1000)
      expect(p95(fleet, 15, 30)).toBeLessThan(1000)
    })
  })

  it('a load at the edge of one pod does not flap', () => {
    const fleet = play(
      load(() => 15, 15, 45),
      45,
    )
    expect(turns(fleet)).toBeLessThanOrEqual(1)
    expect(Math.max(...pods(fleet))).toBeLessThanOrEqual(3)
    expect(p95(fleet, 0, 45)).toBeLessThan(1000)
  })

  it('a load that comes and goes every ten minutes is followed, up once and down once a wave', () => {
    const fleet = play(
      load((minute) => 20 - 18 * Math.cos((minute / 10) * 2 * Math.PI), 38, 30),
      30,
    )
    expect(turns(fleet)).toBeLessThanOrEqual(5)
    expect(Math.max(...pods(fleet))).toBeLessThanOrEqual(6)
  })
})

describe('the pod autoscaler of these specs, against what Kubernetes documents', () => {
  const bare = (parts: Partial<IHorizontalPodAutoscalerSpec> = {}): PodAutoscaler =>
    new PodAutoscaler({ ...spec, minReplicas: 1, maxReplicas: 20, behavior: { scaleDown: {} }, ...parts })

  it('wants metric / target pods, rounded up', () => {
    expect(bare().decide(0, 1, 2)).toBe(2)
    expect(bare().decide(0, 3, 3.5)).toBe(4)
  })

  it('leaves it at what there is within a tenth, and without a metric', () => {
    expect(bare().decide(0, 10, 10.9)).toBe(10)
    expect(bare().decide(0, 10, 11.1)).toBe(12)
    expect(bare().decide(0, 10, null)).toBe(10)
  })

  it('keeps within its bounds', () => {
    expect(bare({ maxReplicas: 3 }).decide(0, 1, 9)).toBe(3)
    expect(bare({ behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } }).decide(0, 2, 0)).toBe(1)
  })

  it('shrinks to the greatest recommendation of the last five minutes', () => {
    const autoscaler = bare()
    autoscaler.decide(0, 4, 4)
    expect(autoscaler.decide(299_000, 4, 1)).toBe(4)
    expect(autoscaler.decide(301_000, 4, 1)).toBe(1)
  })

  it('grows to the least recommendation of the window for growth', () => {
    const autoscaler = bare({ behavior: { scaleUp: { stabilizationWindowSeconds: 30 } } })
    autoscaler.decide(0, 1, 1)
    expect(autoscaler.decide(15_000, 1, 5)).toBe(1)
    expect(autoscaler.decide(45_000, 1, 3)).toBe(3)
  })

  it('grows in a period by no more than the most generous policy', () => {
    const policies = [
      { type: 'Percent', value: 100, periodSeconds: 60 },
      { type: 'Pods', value: 2, periodSeconds: 60 },
    ]
    const autoscaler = bare({ behavior: { scaleUp: { policies } } })
    expect(autoscaler.decide(0, 1, 20)).toBe(3)
    expect(autoscaler.decide(30_000, 3, 20)).toBe(3)
    expect(autoscaler.decide(60_000, 3, 20)).toBe(6)
  })
})
