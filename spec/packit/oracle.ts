import { type Hop, hopsOf, type PackitMessage } from './message.js'
import type { TraceRecord } from './traceLog.js'

/** What went wrong, in numbers of messages: a message counts once, however often it went wrong. */
export interface Verdict {
  readonly messages: number
  /** Began before an earlier message of its key had finished for good, or was overtaken again by one that was repeated. */
  readonly inversions: number
  /** Began while another message of its key was running. */
  readonly overlaps: number
  /** Never finished successfully. */
  readonly lost: number
  /** Finished successfully more than once. */
  readonly repeated: number
  /** Ended for a retry at least once; no fault. */
  readonly retried: number
}

/** One run of a handler. Begin and end are places in the trace, which is in order even where two clock readings are equal. */
interface Run {
  readonly begin: number
  end: number
  outcome: TraceRecord['outcome']
}

interface Member {
  readonly message: PackitMessage
  readonly runs: readonly Run[]
}

/**
 * Judges a trace against what was published: per hop and key, in publish order. Hop 2 follows from hop 1. A message that was
 * published at hop 2 right away (the watchdog's end) is in no order with those that come from hop 1, so that it can overlap but
 * not be inverted with them.
 * @param published in publish order
 * @param trace in the order in which it was written
 */
export function judge(
  published: readonly PackitMessage[],
  trace: readonly TraceRecord[],
): { readonly hops: Readonly<Record<Hop, Verdict>>; readonly total: Verdict } {
  const hops = { 1: judgeHop(1, published, trace), 2: judgeHop(2, published, trace) }
  const sum = (count: keyof Verdict): number => hops[1][count] + hops[2][count]
  return {
    hops,
    total: {
      messages: sum('messages'),
      inversions: sum('inversions'),
      overlaps: sum('overlaps'),
      lost: sum('lost'),
      repeated: sum('repeated'),
      retried: sum('retried'),
    },
  }
}

function judgeHop(hop: Hop, published: readonly PackitMessage[], trace: readonly TraceRecord[]): Verdict {
  const runs = runsById(hop, trace)
  const members = published
    .filter((message) => hopsOf(message).includes(hop))
    .map((message) => ({ message, runs: runs.get(message.sim.id) ?? [] }))
  const successes = members.map((member) => successesOf(member).length)
  const sameKey = groupBy(members, ({ message }) => message.key)
  const sameOrder = groupBy(members, ({ message }) => `${message.sim.hop} ${message.key}`)
  return {
    messages: members.length,
    inversions: countIn(sameOrder, invertedIn),
    overlaps: countIn(sameKey, overlapsIn),
    lost: successes.filter((count) => count === 0).length,
    repeated: successes.filter((count) => count > 1).length,
    retried: members.filter((member) => member.runs.some((run) => run.outcome === 'retry')).length,
  }
}

/** Pairs begins with ends. A run without an end lasted as long as its process: at least to that process's last record. */
function runsById(hop: Hop, trace: readonly TraceRecord[]): Map<string, Run[]> {
  const lastOfProcess = new Map(trace.map(({ pid }, place) => [pid, place]))
  const open = new Map<string, Run[]>()
  const byId = new Map<string, Run[]>()
  for (const [place, record] of trace.entries()) {
    if (record.hop !== hop) continue
    const ofProcess = `${record.pid} ${record.retries} ${record.id}`
    if (record.type === 'begin') {
      const run: Run = { begin: place, end: lastOfProcess.get(record.pid) ?? place, outcome: null }
      append(open, ofProcess, run)
      append(byId, record.id, run)
      continue
    }
    const run = open.get(ofProcess)?.shift()
    if (!run) continue
    run.end = place
    run.outcome = record.outcome
  }
  return byId
}

/** How many members, in publish order, ran too early for those before them. */
function invertedIn(members: readonly Member[]): number {
  let inverted = 0
  let firstAllowed = Number.NEGATIVE_INFINITY
  let lastAllowed = Number.NEGATIVE_INFINITY
  for (const member of members) {
    const { runs } = member
    const [first, last] = [runs[0], runs.at(-1)]
    if (first && last && (first.begin < firstAllowed || last.begin < lastAllowed)) inverted++
    const successes = successesOf(member)
    firstAllowed = Math.max(firstAllowed, successes[0]?.end ?? Number.POSITIVE_INFINITY)
    lastAllowed = Math.max(lastAllowed, successes.at(-1)?.end ?? Number.POSITIVE_INFINITY)
  }
  return inverted
}

/** How many members began while another member was running. */
function overlapsIn(members: readonly Member[]): number {
  const overlapped = members.filter((member) =>
    members.some(
      (other) =>
        other !== member &&
        member.runs.some(({ begin }) => other.runs.some((run) => run.begin < begin && begin < run.end)),
    ),
  )
  return overlapped.length
}

function successesOf({ runs }: Member): Run[] {
  return runs.filter((run) => run.outcome === 'success')
}

function countIn(groups: Map<string, Member[]>, count: (members: readonly Member[]) => number): number {
  return [...groups.values()].reduce((sum, members) => sum + count(members), 0)
}

function groupBy(members: readonly Member[], keyOf: (member: Member) => string): Map<string, Member[]> {
  const groups = new Map<string, Member[]>()
  for (const member of members) append(groups, keyOf(member), member)
  return groups
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key)
  if (list) list.push(item)
  else lists.set(key, [item])
}
