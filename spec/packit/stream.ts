import {
  babysitId,
  type Hop,
  type Kind,
  LONG_RUNNING,
  type PackitMessage,
  SHORT_RUNNING,
  type Side,
  TASK,
} from './message.js'
import {
  type Build,
  CHROOTS,
  coprEvent,
  handlerKwargs,
  kojiEvent,
  pullRequestEvent,
  pullRequestKey,
  testingFarmEvent,
} from './payloads.js'
import { Random } from './random.js'
import type { Workload } from './workload.js'

/** The "now" of the timestamps in the payloads, in seconds. */
const EPOCH = 1_763_391_600

/** Run times of the real handlers in milliseconds: the median, and the deviation of the logarithm. */
const RUN_MS: Readonly<Record<string, readonly [median: number, sigma: number]>> = {
  [TASK.process]: [1500, 0.7],
  [TASK.start]: [2900, 0.6],
  [TASK.end]: [3500, 0.7],
  [TASK.babysit]: [1200, 0.5],
}

interface Draft {
  readonly task: string
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly key: string
  readonly kind: Kind
  readonly args?: readonly unknown[]
  readonly queue?: string
  readonly hop?: Hop
  readonly dup?: boolean
  readonly id?: string
}

/** Collects the messages of a workload. Times given to its methods are milliseconds, already scaled. */
export class Stream {
  readonly random: Random
  private readonly messages: Array<{ readonly phase: number; readonly message: PackitMessage }> = []
  private lastBuild: number

  constructor(private readonly workload: Workload) {
    this.random = new Random(workload.seed)
    this.lastBuild = 9_800_000 + this.random.integer(0, 1000)
  }

  /** In the order in which they are to be published. At equal times a lower phase goes first, then what was made first. */
  inOrder(): PackitMessage[] {
    return this.messages
      .toSorted((a, b) => a.message.atMs - b.message.atMs || a.phase - b.phase)
      .map(({ message }) => message)
  }

  newBuild(index: number): Build {
    const { random } = this
    this.lastBuild += random.integer(1, 8)
    const chroots = random.sample(CHROOTS, this.workload.chroots).sort()
    return {
      id: this.lastBuild,
      pkg: `pkg-${String(index % 17).padStart(2, '0')}`,
      version: `1.${index}.0-1.pr${100 + index}`,
      pr: 100 + index,
      ip: `10.${random.integer(0, 256)}.${random.integer(0, 256)}.${random.integer(1, 255)}`,
      pid: random.integer(2000, 400_000),
      chroots,
      status: new Map(chroots.map((chroot) => [chroot, random.chance(0.86) ? 1 : random.chance(0.8) ? 0 : 2])),
    }
  }

  /** The pull request event that asked for the build, and the watchdog that looks after it two minutes later. */
  trigger(build: Build, at: number): void {
    if (!this.workload.triggers) return
    const kwargs = { event: pullRequestEvent(build), source: 'github', event_type: 'pull_request' }
    this.add(at, { task: TASK.process, kwargs, key: pullRequestKey(build), kind: 'other' })
    this.add(at + 120_000 * this.workload.timeScale, {
      task: TASK.babysit,
      args: [build.id],
      kwargs: {},
      key: `copr:${build.id}`,
      kind: 'other',
      queue: LONG_RUNNING,
      hop: 2,
      id: babysitId(build.id),
    })
  }

  /** Start and end of a build in one chroot, with the blemishes that the workload asks for. */
  pair(build: Build, chroot: string, startAt: number, endAt: number, phase = 0): void {
    const { babysitRaceFraction, dupFraction, noEndFraction, noStartFraction, timeScale } = this.workload
    const { random } = this
    const noEnd = random.chance(noEndFraction)
    const noStart = random.chance(noStartFraction) && !noEnd
    for (const side of ['start', 'end'] as const) {
      const at = side === 'start' ? startAt : endAt
      const again = random.chance(dupFraction)
      const later = random.exponential(2000) * timeScale
      if (side === 'start' ? noStart : noEnd) continue
      // Of equal times, the starts of a phase go before its ends.
      const sidePhase = 2 * phase + (side === 'start' ? 0 : 1)
      this.buildEvent(side, build, chroot, at, false, sidePhase)
      if (again) this.buildEvent(side, build, chroot, at + later, true, sidePhase)
    }
    const race = random.chance(babysitRaceFraction)
    const wait = random.uniform(30_000, 1_800_000)
    const near = random.uniform(-300, 300)
    if (noEnd || race)
      this.watchdogEnd(build, chroot, Math.max(startAt, endAt + (noEnd ? wait : near) * timeScale), !noEnd)
  }

  /** Testing Farm's three notifications, all alike: queued, running, complete. */
  tests(end: number): void {
    const { tfFraction, timeScale } = this.workload
    const { random } = this
    const wanted = random.chance(tfFraction)
    const id = random.uuid()
    const steps = [random.uniform(5000, 20_000), random.uniform(60_000, 120_000), random.lognormal(400_000, 0.5)]
    let at = end
    for (const step of wanted ? steps : []) {
      at += step * timeScale
      const kwargs = { event: testingFarmEvent(id), source: 'testing-farm', event_type: 'results' }
      this.add(at, { task: TASK.process, kwargs, key: `tf:${id}`, kind: 'other' })
    }
  }

  /** A build in Koji, beside Copr's. */
  koji(build: Build, from: number): void {
    const { kojiFraction, timeScale } = this.workload
    const { random } = this
    const wanted = random.chance(kojiFraction)
    const id = random.integer(2_000_000, 3_000_000)
    const task = random.integer(0, 100_000_000)
    const startAt = from + random.uniform(0, 600_000) * timeScale
    const endAt = startAt + random.lognormal(380_000, 0.4) * timeScale
    if (!wanted) return
    for (const [side, at] of [
      ['start', startAt],
      ['end', endAt],
    ] as const) {
      const event = kojiEvent(side, build, id, task, this.stamp(at))
      const kwargs = { event, source: 'fedora-messaging', event_type: 'buildsys.build.state.change' }
      this.add(at, { task: TASK.process, kwargs, key: `koji:${id}`, kind: side })
    }
  }

  private buildEvent(side: Side, build: Build, chroot: string, at: number, dup: boolean, phase: number): void {
    const event = coprEvent(side, build, chroot, this.stamp(at))
    const kwargs = { event, source: 'fedora-messaging', event_type: `copr.build.${side}` }
    this.add(at, { task: TASK.process, kwargs, key: `copr:${build.id}:${chroot}`, kind: side, dup }, phase)
  }

  private watchdogEnd(build: Build, chroot: string, at: number, dup: boolean): void {
    const kwargs = handlerKwargs('end', coprEvent('end', build, chroot, this.stamp(at)))
    this.add(at, { task: TASK.end, kwargs, key: `copr:${build.id}:${chroot}`, kind: 'end', hop: 2, dup })
  }

  private add(at: number, draft: Draft, phase = 0): void {
    const { failStartFraction, failTimes, runScale } = this.workload
    const { args = [], dup = false, hop = 1, key, kind, kwargs, queue = SHORT_RUNNING, task } = draft
    const [median, sigma] = RUN_MS[task] ?? [800, 0.5]
    const uuid = this.random.uuid()
    const runMs = this.random.lognormal(median, sigma) * runScale
    const fails = this.random.chance(failStartFraction) && kind === 'start'
    const sim = { id: draft.id ?? uuid, run_ms: thousandths(runMs), fail: fails ? failTimes : 0 }
    const hinted = isRecord(kwargs.event) ? { ...kwargs, event: { ...kwargs.event, _sim: sim } } : kwargs
    const atMs = thousandths(Math.max(0, at))
    this.messages.push({
      phase,
      message: { task, args, kwargs: hinted, queue, key, kind, atMs, sim: { ...sim, dup, hop } },
    })
  }

  private stamp(at: number): number {
    return thousandths(EPOCH + at / this.workload.timeScale / 1000)
  }
}

const thousandths = (value: number): number => Math.round(value * 1000) / 1000

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
