/** Tells, each time it is asked, for which part of the time since it was last asked the event loop was busy: 0 to 1. */
export function loopWatch(): () => number {
  let before = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    return utilization
  }
}
