/** Needs of the recent past, largest first; one that a later and larger need outlives is dropped. */
export type NeedWindow = readonly { readonly need: number; readonly until: number }[]

/**
 * Adds a need to those of the last `keepaliveMs`. A need holds until the next one is known, so a pause between two samples
 * counts as what was last seen, not as idleness.
 * @param now monotonic milliseconds
 */
export function remember(window: NeedWindow, need: number, now: number, keepaliveMs: number): NeedWindow {
  const latest = window.length - 1
  const kept = window
    .map((entry, index) => (index === latest ? { need: entry.need, until: now } : entry))
    .filter((entry) => entry.until > now - keepaliveMs && entry.need > need)
  return [...kept, { need, until: now }]
}

/** Returns the greatest need in the window; 0 for an empty one. */
export function greatestNeed(window: NeedWindow): number {
  return window[0]?.need ?? 0
}
