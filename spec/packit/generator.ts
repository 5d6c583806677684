import type { PackitMessage } from './message.js'
import { type Build, SRPM } from './payloads.js'
import { Stream } from './stream.js'
import { CLEAN, type Workload } from './workload.js'

/**
 * A Packit-like stream of Celery messages, in the order in which they are to be published; the same for the same knobs.
 * @param knobs those that differ from `CLEAN`; start from one of the `PRESETS`
 */
export function generate(knobs: Partial<Workload> = {}): PackitMessage[] {
  const workload = { ...CLEAN, ...knobs }
  const stream = new Stream(workload)
  PATTERNS[workload.pattern](stream, workload)
  return stream.inOrder()
}

const PATTERNS: Readonly<Record<Workload['pattern'], (stream: Stream, workload: Workload) => void>> = {
  adjacent,
  phased,
  timeline,
}

function adjacent(stream: Stream, { builds, buildGapMs, pairGapMs }: Workload): void {
  for (let index = 0; index < builds; index++) {
    const build = stream.newBuild(index)
    const at = index * buildGapMs
    stream.trigger(build, at)
    for (const chroot of build.chroots) stream.pair(build, chroot, at, at + pairGapMs)
  }
}

function phased(stream: Stream, { builds, buildGapMs, stepMs, window }: Workload): void {
  const keys: Array<{ build: Build; chroot: string }> = []
  for (let index = 0; index < builds; index++) {
    const build = stream.newBuild(index)
    stream.trigger(build, 0)
    keys.push(...build.chroots.map((chroot) => ({ build, chroot })))
  }
  let at = 0
  for (let first = 0; first < keys.length; first += window) {
    const group = keys.slice(first, first + window)
    for (const [index, { build, chroot }] of group.entries()) {
      stream.pair(build, chroot, at + index * stepMs, at + (group.length + index) * stepMs, first / window)
    }
    at += 2 * group.length * stepMs + buildGapMs
  }
}

function timeline(stream: Stream, { builds, buildGapMs, fastFraction, pairGapMs, timeScale }: Workload): void {
  const { random } = stream
  const pair = (build: Build, chroot: string, startMs: number, endMs: number): number => {
    const end = random.chance(fastFraction) ? startMs * timeScale + pairGapMs : endMs * timeScale
    stream.pair(build, chroot, startMs * timeScale, end)
    return end
  }
  let arrival = 0
  for (let index = 0; index < builds; index++) {
    if (index > 0) arrival += random.exponential(buildGapMs)
    const build = stream.newBuild(index)
    stream.trigger(build, arrival * timeScale)
    const srpmStart = arrival + random.lognormal(9000, 0.5)
    const srpmEnd = srpmStart + random.lognormal(35_000, 0.5)
    pair(build, SRPM, srpmStart, srpmEnd)
    for (const chroot of build.chroots) {
      const start = srpmEnd + 4000 + random.lognormal(12_000, 0.6)
      const slowness = /s390x|ppc64le/.test(chroot) ? 3 : 1
      const end = pair(build, chroot, start, start + slowness * random.lognormal(150_000, 0.9))
      if (build.status.get(chroot) === 1) stream.tests(end)
    }
    stream.koji(build, srpmEnd * timeScale)
  }
}
