import { isDict } from './pythonText.js'

/** A reply to `inspect slots` with readable times of its decisions; as JSON they stay numbers. */
export function datedSlots(reply: unknown): unknown {
  if (!isDict(reply) || !Array.isArray(reply.decisions)) return reply
  const decisions = reply.decisions.map((decision) => {
    const seconds = isDict(decision) ? Number(decision.at) : Number.NaN
    // The range of a Date.
    return Math.abs(seconds) <= 8.64e12 ? { ...decision, at: new Date(seconds * 1000).toISOString() } : decision
  })
  return { ...reply, decisions }
}
