import type { Routes } from './route.js'
import { answerJson } from './server.js'

export interface ReadinessSource {
  /** Reasons why the worker can't do its work; empty when it is ready. */
  readonly readiness: readonly string[]
  readonly breakers: Iterable<{ readonly name: string; readonly state: string }>
}

/**
 * `GET /readyz`: 200 while the worker takes messages and can settle them, 503 with the reasons when it can't, and from
 * the moment its stop begins. The breakers of tasks are reported, but don't count: only some tasks need the services
 * behind them.
 */
export function readinessRoutes(worker: ReadinessSource): Routes {
  return new Map([
    [
      'GET /readyz',
      (_, response) => {
        const { readiness: reasons } = worker
        answerJson(response, reasons.length === 0 ? 200 : 503, {
          ready: reasons.length === 0,
          reasons,
          breakers: Object.fromEntries([...worker.breakers].map(({ name, state }) => [name, state])),
        })
      },
    ],
  ])
}
