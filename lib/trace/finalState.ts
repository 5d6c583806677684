import type { Backend, Clock } from '../ports.js'
import { READY_STATES, type ResultMeta } from '../protocol/result.js'

export interface FinalStateOptions {
  readonly backend: Pick<Backend, 'get' | 'subscribe'>
  readonly clock: Clock
  readonly timeoutMs: number
}

/**
 * Waits for the final state of a task, which may not have ended yet; null if that takes longer than `timeoutMs`.
 * @throws CeleriacError
 */
export async function finalState(id: string, options: FinalStateOptions): Promise<ResultMeta | null> {
  const { backend, clock, timeoutMs } = options
  let found: (meta: ResultMeta | null) => void = () => undefined
  const final = new Promise<ResultMeta | null>((resolve) => {
    found = resolve
  })
  const look = (meta: ResultMeta | null): void => {
    if (meta !== null && READY_STATES.has(meta.status)) found(meta)
  }
  const unsubscribe = await backend.subscribe(id, look)
  const timer = clock.setTimer(() => found(null), timeoutMs)
  try {
    look(await backend.get(id))
    return await final
  } finally {
    timer.cancel()
    await unsubscribe()
  }
}
