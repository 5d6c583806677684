/** The knobs of the generator. Fractions are between 0 and 1. */
export interface Workload {
  readonly seed: number
  readonly builds: number
  /** Per build; the SRPM phase of the timeline comes on top. */
  readonly chroots: number
  /**
   * `adjacent`: the end `pairGapMs` behind its start. `phased`: all starts of `window` keys, then all their ends.
   * `timeline`: the log-normal life of real builds.
   */
  readonly pattern: 'adjacent' | 'phased' | 'timeline'
  readonly pairGapMs: number
  /** Between builds; in the timeline the mean, before scaling. */
  readonly buildGapMs: number
  readonly window: number
  /** Between the messages of a phase. */
  readonly stepMs: number
  /** 0.01: a hundred times faster than life. Fixed gaps aren't scaled. */
  readonly timeScale: number
  /** The same for the run times. */
  readonly runScale: number
  readonly failStartFraction: number
  readonly failTimes: number
  /** The same event twice, the second up to seconds later. */
  readonly dupFraction: number
  readonly noStartFraction: number
  /** The end is lost, and the watchdog makes one later, at hop 2. */
  readonly noEndFraction: number
  /** The end follows its start by `pairGapMs`, in the timeline. */
  readonly fastFraction: number
  /** The watchdog makes an end within 300 ms of the real one. */
  readonly babysitRaceFraction: number
  /** Successful chroots that are followed by a Testing Farm run. */
  readonly tfFraction: number
  /** Builds with a pair of Koji events. */
  readonly kojiFraction: number
  /** A pull request event and a watchdog for each build. */
  readonly triggers: boolean
}

/** Pairs and nothing else, as fast as life. */
export const CLEAN: Workload = {
  seed: 1,
  builds: 20,
  chroots: 3,
  pattern: 'timeline',
  pairGapMs: 5,
  buildGapMs: 15_000,
  window: 3,
  stepMs: 1,
  timeScale: 1,
  runScale: 1,
  failStartFraction: 0,
  failTimes: 1,
  dupFraction: 0,
  noStartFraction: 0,
  noEndFraction: 0,
  fastFraction: 0,
  babysitRaceFraction: 0,
  tfFraction: 0,
  kojiFraction: 0,
  triggers: false,
}

export const PRESETS = {
  /** Every end 5 ms behind its start: the hardest case for several slots. */
  hot: { ...CLEAN, pattern: 'adjacent', builds: 200, buildGapMs: 20 },
  /** Start, start, start, end, end, end: the queue of Packit's issue 375. */
  seed375: { ...CLEAN, pattern: 'phased', builds: 3, chroots: 1, window: 3, stepMs: 0, buildGapMs: 0 },
  /** All starts of 25 keys, then their ends: the worst case for a worker that takes batches ahead. */
  phased: { ...CLEAN, pattern: 'phased', builds: 200, window: 25, buildGapMs: 0 },
  /** Minutes of real life, a hundred times faster, with every blemish. */
  life: {
    ...CLEAN,
    builds: 60,
    chroots: 4,
    timeScale: 0.01,
    runScale: 0.01,
    dupFraction: 0.02,
    noStartFraction: 0.02,
    noEndFraction: 0.01,
    fastFraction: 0.05,
    babysitRaceFraction: 0.02,
    tfFraction: 0.3,
    kojiFraction: 0.1,
    triggers: true,
  },
} satisfies Record<string, Workload>
