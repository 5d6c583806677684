import type { Child } from './child.js'
import type { ChildPoolOptions } from './childKind.js'

/** Kills a child that does not come up in time: others may, and tasks wait for it. Mirrors billiard's wait for UP. */
export function limitLoading(child: Child, { clock, loadMs, log }: ChildPoolOptions): void {
  if (loadMs === undefined) return
  const timer = clock.setTimer(() => {
    log.error(`${child.label} did not load the app within ${loadMs / 1000} s (worker_proc_alive_timeout)`)
    child.kill()
  }, loadMs)
  const cancel = (): void => timer.cancel()
  child.loaded.then(cancel, cancel)
}
