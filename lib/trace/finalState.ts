import type { Backend, Clock } from '../ports.js'
import { READY_STATES, type ResultMeta } from '../protocol/result.js'

export interface FinalStateOptions {
  readonly backend: Pick<Backend, 'get' | 'patient' | 'subscribe'>
  readonly clock: Clock
  readonly timeoutMs: number
}

/**
 * Waits for the final state of a task, which may not have ended yet; null if that takes longer than `timeoutMs`, not
 * counting the time that the first and the last look at the store wait for it.
 * @throws CeleriacError
 */
export async function finalState(id: string, options: FinalStateOptions): Promise<ResultMeta | null> {
  const { clock, timeoutMs } = options
  // The chord of a member that was acknowledged early is lost with a read that fails.
  const reads = options.backend.patient ?? options.backend
  let found: (meta: ResultMeta | null) => void = () => undefined
  const final = new Promise<ResultMeta | null>((resolve) => {
    found = resolve
  })
  const look = (meta: ResultMeta | null): ResultMeta | null => {
    if (meta === null || !READY_STATES.has(meta.status)) return null
    found(meta)
    return meta
  }
  const unsubscribe = await reads.subscribe(id, (meta) => void look(meta))
  try {
    const known = look(await reads.get(id))
    if (known) return known
    const timer = clock.setTimer(() => found(null), timeoutMs)
    const meta = await final.finally(() => timer.cancel())
    // The store may have been away all the time.
    return meta ?? look(await reads.get(id))
  } finally {
    // The state is known, and nobody listens any more.
    await unsubscribe().catch(() => undefined)
  }
}
