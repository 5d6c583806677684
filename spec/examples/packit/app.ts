import { setTimeout as sleep } from 'node:timers/promises'
import { Celery } from 'celeriac'

/** What Copr says of a build; without a chroot it is about the whole build. */
export interface CoprEvent {
  readonly build_id: number
  readonly chroot?: string
  readonly what: 'start' | 'end'
}

/** Where the state of a build is shown: GitHub, GitLab or Pagure, which answer when they like. */
export const forge = {
  report: async (_state: string): Promise<void> => sleep(20),
}

const app = new Celery('packit', { task_default_queue: 'short-running' })

/** A key within a key: the chroots of a build are independent of each other, and a message of the build itself is of all of them. */
export const coprEvent = app.task(
  'packit.copr_event',
  { kwargs: true, orderBy: 'kwargs.event.build_id/kwargs.event.chroot', maxRetries: 2 },
  async ({ event: { build_id, chroot = 'all', what } }: { event: CoprEvent }) => {
    await forge.report(`${build_id} ${chroot} ${what}`)
  },
)

export default app
