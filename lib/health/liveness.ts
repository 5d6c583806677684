import type { Routes } from './route.js'
import { answerJson } from './server.js'

export interface LivenessSource {
  readonly progress: { readonly stalled: boolean; readonly idleMs: number }
  readonly pulse: { readonly utilisation: number; readonly latestMs: number }
}

/**
 * `GET /livez`: 200 while the process can do its work, 503 when only a new process can. A response shows that the event
 * loop runs; its body says how well, and what the watchdog saw. The broker and the backend are not checked: a restart
 * doesn't repair those.
 */
export function livenessRoutes({ progress, pulse }: LivenessSource): Routes {
  return new Map([
    [
      'GET /livez',
      (_, response) => {
        const alive = !progress.stalled
        answerJson(response, alive ? 200 : 503, {
          alive,
          reasons: alive
            ? []
            : [
                `no progress for ${Math.round(progress.idleMs / 1000)} seconds, although there are messages and free slots`,
              ],
          event_loop: {
            utilization: Math.round(pulse.utilisation * 1000) / 1000,
            longest_delay_seconds: Math.round(pulse.latestMs) / 1000,
          },
        })
      },
    ],
  ])
}
