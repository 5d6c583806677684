/** Timers that keep this process alive at present. */
export function ownTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
}
