import { coerceError } from '../errors.js'
import type { Backend, Clock } from '../ports.js'
import type { WorkerState } from '../request/state.js'
import type { Failure } from './failures.js'
import type { Routes } from './route.js'
import { answerJson } from './server.js'
import { LIMITS } from './snapshot.js'

/** Milliseconds to wait for the result backend, so that the page answers while it is unavailable. */
const STORE_MS = 2_000

export interface TaskSearchOptions {
  readonly state: Pick<WorkerState, 'requests'>
  readonly backend: Pick<Backend, 'get' | 'storeUnlessReady'>
  readonly clock: Clock
  failures(): Iterable<Failure>
}

/**
 * `GET /api/task?id=`: what is known about one task: its state in this worker, its failure if that is one of the
 * latest, and its state in the result backend. Contains neither arguments nor results.
 */
export function taskSearchRoutes(options: TaskSearchOptions): Routes {
  return new Map([
    [
      'GET /api/task',
      async (request, response) => {
        const id = new URL(request.url ?? '/', 'http://localhost').searchParams.get('id')?.trim() ?? ''
        if (id === '' || id.length > LIMITS.text) {
          answerJson(response, 400, { error: `id has to be the id of a task, of up to ${LIMITS.text} characters` })
        } else
          answerJson(response, 200, {
            id,
            here: here(id, options),
            failure: failure(id, options),
            ...(await stored(id, options)),
          })
      },
    ],
  ])
}

function here(id: string, { clock, state }: TaskSearchOptions) {
  for (const request of state.requests) {
    if (request.id !== id) continue
    const since = request.state === 'running' ? (request.startedAt ?? request.receivedAt) : request.receivedAt
    return {
      state: request.state,
      waitsFor: request.parkedFor,
      task: request.name.slice(0, LIMITS.text),
      queue: request.delivery.queue.slice(0, LIMITS.text),
      key: request.key?.slice(0, LIMITS.text) ?? null,
      retries: request.retries,
      sinceMs: Math.round(clock.monotonic() - since),
    }
  }
  return null
}

function failure(id: string, { failures }: TaskSearchOptions) {
  for (const each of failures()) if (each.id === id) return { at: each.at, task: each.task, exception: each.exception }
  return null
}

/** Returns null if results are sent to clients or dropped: there is no store to read then. */
async function stored(id: string, { backend, clock }: TaskSearchOptions) {
  if (backend.storeUnlessReady === undefined) return { stored: null }
  let late = (): void => undefined
  const timer = clock.setTimer(() => late(), STORE_MS)
  try {
    const meta = await Promise.race([
      backend.get(id),
      new Promise<never>((_, reject) => {
        late = () => reject(new Error(`the result backend has not answered within ${STORE_MS / 1000} seconds`))
      }),
    ])
    return { stored: meta && { state: meta.status.slice(0, LIMITS.text), doneAt: meta.dateDone } }
  } catch (thrown) {
    return { stored: null, storeError: coerceError(thrown).message }
  } finally {
    timer.cancel()
  }
}
