import { describe, expect, it } from '@jest/globals'
import { generate } from './generator.js'
import { hopsOf, type PackitMessage, TASK } from './message.js'
import { PRESETS } from './workload.js'

const groupBy = (messages: readonly PackitMessage[], nameOf: (message: PackitMessage) => string): PackitMessage[][] =>
  [...new Set(messages.map(nameOf))].map((name) => messages.filter((message) => nameOf(message) === name))
const byKey = (messages: readonly PackitMessage[]): PackitMessage[][] => groupBy(messages, ({ key }) => key)
const eventOf = ({ kwargs }: PackitMessage): Record<string, unknown> => kwargs.event as Record<string, unknown>
const fieldsOf = (message: PackitMessage): string[] => Object.keys(eventOf(message))

describe('generate', () => {
  it.each(Object.keys(PRESETS) as Array<keyof typeof PRESETS>)(
    'makes the same %s messages for the same seed',
    (preset) => {
      expect(generate(PRESETS[preset])).toEqual(generate(PRESETS[preset]))
      expect(generate(PRESETS[preset])).not.toEqual(generate({ ...PRESETS[preset], seed: 2 }))
    },
  )

  it.each(Object.keys(PRESETS) as Array<keyof typeof PRESETS>)(
    'gives every %s message an identity of its own, in order of time',
    (preset) => {
      const messages = generate(PRESETS[preset])
      expect(new Set(messages.map(({ sim }) => sim.id)).size).toBe(messages.length)
      expect(messages.map(({ atMs }) => atMs)).toEqual(messages.map(({ atMs }) => atMs).toSorted((a, b) => a - b))
    },
  )

  it('makes one golden message', () => {
    const [first] = generate({ ...PRESETS.seed375, runScale: 0.01 })
    expect(first).toEqual(GOLDEN)
  })

  describe('hot', () => {
    const messages = generate(PRESETS.hot)

    it('has a start and, 5 ms behind it, an end for each of 200 builds in 3 chroots', () => {
      expect(messages).toHaveLength(1200)
      const keys = byKey(messages)
      expect(keys).toHaveLength(600)
      for (const [start, end, ...more] of keys) {
        expect([start?.kind, end?.kind, more]).toEqual(['start', 'end', []])
        expect((end?.atMs ?? 0) - (start?.atMs ?? 0)).toBe(5)
      }
      expect(new Set(messages.map((message) => eventOf(message).build)).size).toBe(200)
    })

    it('keeps 20 ms between builds', () => {
      expect([...new Set(messages.map(({ atMs }) => atMs))].slice(0, 4)).toEqual([0, 5, 20, 25])
    })

    it('publishes hop 1 on the short-running queue, which leads to hop 2', () => {
      for (const message of messages) {
        expect(message).toMatchObject({ task: TASK.process, queue: 'short-running', args: [], sim: { hop: 1 } })
        expect(hopsOf(message)).toEqual([1, 2])
      }
    })

    it('lets the asked share of the starts fail, and only starts', () => {
      const failing = generate({ ...PRESETS.hot, failStartFraction: 0.1, failTimes: 2 }).filter(
        ({ sim }) => sim.fail > 0,
      )
      expect(failing.length).toBeGreaterThan(40)
      expect(failing.length).toBeLessThan(80)
      expect(new Set(failing.map(({ kind, sim }) => `${kind} ${sim.fail}`))).toEqual(new Set(['start 2']))
      expect(messages.filter(({ sim }) => sim.fail > 0)).toEqual([])
    })

    it('draws the same run times whatever fails, and scales them', () => {
      const runs = (knobs: object): number[] => generate({ ...PRESETS.hot, ...knobs }).map(({ sim }) => sim.run_ms)
      expect(runs({ failStartFraction: 0.5 })).toEqual(runs({}))
      const [slow = 0, fast = 0] = [runs({})[0], runs({ runScale: 0.01 })[0]]
      expect(fast).toBeCloseTo(slow / 100, 2)
      const median = runs({}).toSorted((a, b) => a - b)[600] ?? 0
      expect(median).toBeGreaterThan(1350)
      expect(median).toBeLessThan(1650)
    })

    it('puts the hints for the handler into the event', () => {
      for (const message of messages) {
        const { id, run_ms, fail } = message.sim
        expect(eventOf(message)._sim).toEqual({ id, run_ms, fail })
      }
    })
  })

  it('makes the queue of issue 375: three starts, then their ends', () => {
    const messages = generate(PRESETS.seed375)
    const chroots = messages.slice(0, 3).map(({ key }) => key)
    expect(messages.map(({ kind }) => kind)).toEqual(['start', 'start', 'start', 'end', 'end', 'end'])
    expect(messages.slice(3).map(({ key }) => key)).toEqual(chroots)
  })

  it('makes phases: all starts of 25 keys, then their ends in the same order', () => {
    const messages = generate({ ...PRESETS.phased, builds: 50 })
    expect(messages).toHaveLength(300)
    for (let first = 0; first < messages.length; first += 50) {
      const [starts, ends] = [messages.slice(first, first + 25), messages.slice(first + 25, first + 50)]
      expect(new Set(starts.map(({ kind }) => kind))).toEqual(new Set(['start']))
      expect(new Set(ends.map(({ kind }) => kind))).toEqual(new Set(['end']))
      expect(ends.map(({ key }) => key)).toEqual(starts.map(({ key }) => key))
    }
  })

  describe('life', () => {
    const knobs = { ...PRESETS.life, builds: 300 }
    const messages = generate(knobs)
    const builds = messages.filter(({ key }) => /^copr:\d+:/.test(key))
    const keys = byKey(builds)
    const pairs = 300 * 5
    const share = (count: number): number => count / pairs

    it('publishes each start before its end, apart from starts that never come', () => {
      let withoutStart = 0
      for (const ofKey of keys) {
        const start = ofKey.findIndex(({ kind }) => kind === 'start')
        const end = ofKey.findIndex(({ kind }) => kind === 'end')
        if (start < 0) withoutStart++
        else if (end >= 0) expect(start).toBeLessThan(end)
      }
      expect(keys).toHaveLength(pairs)
      expect(share(withoutStart)).toBeGreaterThan(0.01)
      expect(share(withoutStart)).toBeLessThan(0.03)
    })

    it('has the SRPM phase before the chroots', () => {
      for (const ofBuild of groupBy(builds, ({ key }) => `${key.split(':')[1]}`)) {
        expect(ofBuild[0]?.key).toMatch(/:srpm-builds$/)
      }
    })

    it('publishes some events twice', () => {
      const again = builds.filter(({ sim }) => sim.dup && sim.hop === 1)
      expect(share(again.length)).toBeGreaterThan(0.02)
      expect(share(again.length)).toBeLessThan(0.06)
    })

    it('replaces every lost end by one of the watchdog, at hop 2', () => {
      const watchdogs = builds.filter(({ sim }) => sim.hop === 2)
      expect(new Set(watchdogs.map(({ task, kind }) => `${task} ${kind}`))).toEqual(new Set([`${TASK.end} end`]))
      for (const ofKey of keys) expect(ofKey.filter(({ kind }) => kind === 'end').length).toBeGreaterThan(0)
      const races = watchdogs.filter(({ sim }) => sim.dup)
      expect(share(races.length)).toBeGreaterThan(0.01)
      expect(share(watchdogs.length - races.length)).toBeGreaterThan(0.003)
      for (const message of watchdogs) expect(hopsOf(message)).toEqual([2])
    })

    it('leaves a watchdog on the long-running queue behind each build, which knows the build only', () => {
      const watchdogs = messages.filter(({ task }) => task === TASK.babysit)
      expect(watchdogs).toHaveLength(300)
      for (const { args, key, kwargs, queue } of watchdogs) {
        expect({ key, kwargs, queue }).toEqual({ key: `copr:${args[0]}`, kwargs: {}, queue: 'long-running' })
      }
    })

    it('brings Testing Farm in threes that are all alike', () => {
      const tests = byKey(messages.filter(({ key }) => key.startsWith('tf:')))
      expect(tests.length).toBeGreaterThan(200)
      for (const ofRequest of tests) expect(ofRequest.map(({ kind }) => kind)).toEqual(['other', 'other', 'other'])
    })

    it('brings Koji in pairs', () => {
      const koji = byKey(messages.filter(({ key }) => key.startsWith('koji:')))
      expect(koji.length).toBeGreaterThan(10)
      for (const ofBuild of koji) expect(ofBuild.map(({ kind }) => kind)).toEqual(['start', 'end'])
    })

    it('has the fields of the real events, with the build under two names', () => {
      const find = (test: (message: PackitMessage) => boolean): PackitMessage => {
        const found = messages.find(test)
        if (!found) throw new Error('there is no such message')
        return found
      }
      const copr = find(({ sim, kind, task }) => task === TASK.process && kind === 'end' && sim.hop === 1)
      expect(fieldsOf(copr)).toEqual([...COPR_FIELDS, '_sim'])
      expect(Object.keys(copr.kwargs)).toEqual(['event', 'source', 'event_type'])
      const handler = find(({ task }) => task === TASK.end)
      expect(fieldsOf(handler)).toEqual([...HANDLER_FIELDS, '_sim'])
      expect(Object.keys(handler.kwargs)).toEqual(['package_config', 'job_config', 'event'])
      expect(fieldsOf(find(({ key }) => key.startsWith('koji:')))).toEqual([...KOJI_FIELDS, '_sim'])
      expect(fieldsOf(find(({ key }) => key.startsWith('tf:')))).toEqual(['request_id', 'token', 'source', '_sim'])
      expect(fieldsOf(find(({ key }) => key.startsWith('pr:')))).toEqual([...PULL_REQUEST_FIELDS, '_sim'])
    })
  })
})

const COPR_FIELDS = 'user copr owner pkg build chroot version status ip who pid what topic timestamp'.split(' ')
const HANDLER_FIELDS = (
  'commit_sha base_repo_name base_repo_namespace topic identifier created_at project_url _pr_id actor git_ref build_id chroot ' +
  'status owner project_name pkg timestamp event_type event_id task_accepted_time cancel_cutoff_time'
).split(' ')
const KOJI_FIELDS =
  'attribute build_id task_id instance name epoch version release owner old new request task topic timestamp'.split(' ')
const PULL_REQUEST_FIELDS = 'action number pull_request repository sender'.split(' ')

const SIM = { id: 'f7476bf4-3dfe-42eb-bed1-94cccbe9eb33', run_ms: 21.516, fail: 0 }
const GOLDEN: PackitMessage = {
  task: 'task.steve_jobs.process_message',
  args: [],
  kwargs: {
    event: {
      user: 'packit',
      copr: 'example-org-pkg-00-100',
      owner: 'packit',
      pkg: 'pkg-00',
      build: 9800654,
      chroot: 'fedora-43-x86_64',
      version: '1.0.0-1.pr100',
      status: 3,
      ip: '10.98.117.166',
      who: 'backend.worker-rpm_build_worker:9800654-fedora-43-x86_64',
      pid: 46738,
      what: 'build start: user:packit copr:example-org-pkg-00-100 pkg:pkg-00 build:9800654 ip:10.98.117.166 pid:46738',
      topic: 'org.fedoraproject.prod.copr.build.start',
      timestamp: 1763391600,
      _sim: SIM,
    },
    source: 'fedora-messaging',
    event_type: 'copr.build.start',
  },
  queue: 'short-running',
  key: 'copr:9800654:fedora-43-x86_64',
  kind: 'start',
  atMs: 0,
  sim: { ...SIM, dup: false, hop: 1 },
}
