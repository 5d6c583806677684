import type { ResultRequest } from '../ports.js'
import type { ResultMeta } from '../protocol/result.js'

/** One state of a task on its way to the store. */
export interface Entry {
  readonly meta: ResultMeta
  readonly request: ResultRequest
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * The states that aren't stored yet, by task: the states of one task one after another, those of different tasks side
 * by side.
 */
export class ResultLanes {
  /** The first state of each lane may be on its way. */
  private readonly lanes = new Map<string, Entry[]>()
  /** Tasks whose first state may go at once, and those whose first state has failed and waits. */
  private readonly ready = new Set<string>()
  private readonly failed = new Set<string>()
  private count = 0

  /** The number of states. */
  get size(): number {
    return this.count
  }

  add(entry: Entry): void {
    const { taskId } = entry.meta
    const lane = this.lanes.get(taskId)
    this.count++
    if (lane) lane.push(entry)
    else {
      this.lanes.set(taskId, [entry])
      this.ready.add(taskId)
    }
  }

  /** Tasks whose first state may go at once. */
  get sendable(): readonly string[] {
    return [...this.ready]
  }

  /** The task to try first while only one may be tried. */
  get probe(): string | undefined {
    const [probe = [...this.ready][0]] = this.failed
    return probe
  }

  /** Takes the first state of a task, which is sent now. */
  take(id: string): Entry | undefined {
    this.ready.delete(id)
    this.failed.delete(id)
    return this.lanes.get(id)?.[0]
  }

  /** Marks a state that couldn't be stored, to be tried again later. @returns false if it was given up meanwhile */
  fail(entry: Entry): boolean {
    const { taskId } = entry.meta
    if (this.lanes.get(taskId)?.[0] !== entry) return false
    this.failed.add(taskId)
    return true
  }

  /** Lets failed states be sent again. */
  retry(): void {
    for (const id of this.failed) this.ready.add(id)
    this.failed.clear()
  }

  /** Removes a state, wherever in its lane it is; the next one may be sent. @returns false if it was removed before */
  remove(entry: Entry): boolean {
    const { taskId } = entry.meta
    const lane = this.lanes.get(taskId)
    const at = lane?.indexOf(entry) ?? -1
    if (!lane || at < 0) return false
    lane.splice(at, 1)
    this.count--
    if (lane.length === 0) {
      this.lanes.delete(taskId)
      this.ready.delete(taskId)
      this.failed.delete(taskId)
    } else if (at === 0) this.ready.add(taskId)
    return true
  }

  /** Removes all states. */
  clear(): readonly Entry[] {
    const left = [...this.lanes.values()].flat()
    this.lanes.clear()
    this.count = 0
    this.ready.clear()
    this.failed.clear()
    return left
  }
}
