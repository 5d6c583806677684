import { PriorityQueue } from '../containers/priorityQueue.js'
import { Listeners } from '../listeners.js'
import type { Request } from '../request/request.js'
import type { WorkerState } from '../request/state.js'

/** Below this number, entries of requests that are gone don't matter. */
const FEW = 64

export interface PoolOptions {
  readonly size: number
  readonly state: WorkerState
  /** Called with the new size each time it changes. */
  onResize(size: number): void
  /** Runs a request until it has ended and is settled. */
  run(request: Request): Promise<void>
  /** Settles and releases a request whose run threw, although no run should. Never throws. */
  abandon(request: Request, thrown: unknown): void
  /** Called before a run begins. It may find that the connection is lost, and the run must not begin. */
  beforeRun?(): void
}

/** The slots, each of them one running promise. A ready request takes a free slot, the earliest delivered first. */
export class Pool {
  /** Beside the ready requests, it has some that have ended or wait elsewhere, and some twice. */
  private ready = new PriorityQueue(byArrival)
  private slots: number
  private closed = false
  private gathering = false
  private drained: Array<() => void> = []
  private readonly fullness = new Listeners()

  constructor(private readonly options: PoolOptions) {
    this.slots = options.size
  }

  get size(): number {
    return this.slots
  }

  get busy(): number {
    return this.options.state.running.size
  }

  /** True while every slot is taken, so that ready requests have to wait. */
  get full(): boolean {
    return this.busy >= this.slots
  }

  /** Calls `listener` when the last free slot is taken. @returns a function that stops this */
  onFull(listener: () => void): () => void {
    return this.fullness.add(listener)
  }

  /** Changes the number of slots. Runs beyond a smaller size continue to their end. */
  resize(slots: number): void {
    this.slots = slots
    this.options.onResize(slots)
    this.fill()
  }

  offer(request: Request): void {
    this.ready.push(request)
    if (this.ready.length > 2 * this.options.state.ready + FEW) this.sift()
    this.fill()
  }

  /** Calls `act`, and then gives slots to all that it has offered, the earliest delivered first. */
  together(act: () => void): void {
    this.gathering = true
    try {
      act()
    } finally {
      this.gathering = false
      this.fill()
    }
  }

  /** Starts nothing more. */
  close(): void {
    this.closed = true
  }

  /** Resolves once nothing runs. */
  async idle(): Promise<void> {
    if (this.busy > 0) await new Promise<void>((resolve) => this.drained.push(resolve))
  }

  private fill(): void {
    while (!this.closed && !this.gathering && !this.full) {
      const request = this.ready.pop()
      if (!request) return
      this.options.beforeRun?.()
      // The request may have expired, or lost its connection, while it waited here.
      if (mayRun(request)) this.occupy(request)
    }
  }

  /**
   * While all slots are taken nothing leaves the queue by itself, and each entry keeps its message. Each time more than
   * half of the entries go, so this costs each offer little.
   */
  private sift(): void {
    this.ready = new PriorityQueue(byArrival, [...new Set(this.ready.data.filter(mayRun))])
  }

  private occupy(request: Request): void {
    this.options.state.move(request, 'running')
    if (this.full) this.fullness.tell()
    this.options.run(request).then(
      () => this.leave(),
      (thrown) => {
        this.options.abandon(request, thrown)
        // The slot must be freed whatever has happened.
        this.options.state.leaveSlot(request)
        this.leave()
      },
    )
  }

  private leave(): void {
    this.fill()
    if (this.busy === 0) for (const resolve of this.drained.splice(0)) resolve()
  }
}

function byArrival(one: Request, other: Request): number {
  return one.delivery.sequence - other.delivery.sequence
}

function mayRun({ delivery, state }: Request): boolean {
  return state === 'ready' && delivery.live
}
