import { fileURLToPath } from 'node:url'
import { readableError } from '../errors.js'
import { PACKAGE_FOLDER } from '../version.js'

/** Characters of a stack that are examined: the frames are at its end, after a message of any length. */
const LONGEST_STACK = 65_536
/** Appears between two frames of asynchronous code where Node happened to run the first from its own queue, */
const TURN = '(node:internal/process/task_queues:'
/** followed by the part of Node that had called the queue: a timer, or an async hook. */
const BELOW_TURN = '(node:internal/'
/** Locations of this package's own code: only the first is published. */
const OWN = ['dist/', 'lib/'].map((folder) => new URL(folder, PACKAGE_FOLDER).href)
const OWN_PLACES = [...OWN, ...OWN.map((url) => fileURLToPath(url))]

/**
 * Returns the frames of an error's stack, innermost first, without those of Celeriac and Node that called the task:
 * they are the same in every failure. Returns all frames if there is no other code among them.
 */
export function framesOf(error: Error): readonly string[] {
  return partsOf(error).frames
}

/** Returns an error's stack as Node shows it, of bounded length and with the frames of `framesOf`. */
export function stackOf(error: Error): string {
  const { frames, heading } = partsOf(error)
  return [heading, ...frames].join('\n')
}

/**
 * Returns an error and its causes, outermost first; at most as many as `most`. An error may be its own cause. Never
 * throws.
 */
export function withCauses(error: Error, most: number): readonly Error[] {
  const chain: Error[] = []
  const seen = new Set<unknown>()
  let at: unknown = error
  while (isError(at) && !seen.has(at) && chain.length < most) {
    seen.add(at)
    const readable = readableError(at)
    chain.push(readable)
    at = readable.cause
  }
  return chain
}

/** Causes may be anything, such as a proxy that throws. */
function isError(value: unknown): value is Error {
  try {
    return value instanceof Error
  } catch {
    return false
  }
}

function partsOf({ message, name, stack }: Error): { readonly heading: string; readonly frames: readonly string[] } {
  const shown = message.length > LONGEST_STACK ? `${message.slice(0, LONGEST_STACK)}...` : message
  const heading = shown === '' ? name : `${name}: ${shown}`
  if (typeof stack !== 'string') return { heading, frames: [] }
  const lines = stack.slice(-LONGEST_STACK).split('\n')
  // The frames are the last lines; the message before them may contain anything.
  const header = lines.findLastIndex((line) => !/^\s+at /.test(line))
  const isWhole = stack.length <= LONGEST_STACK && header >= 0
  return {
    heading: isWhole ? lines.slice(0, header + 1).join('\n') : heading,
    frames: withoutCallers(lines.slice(header + 1)),
  }
}

function withoutCallers(frames: readonly string[]): readonly string[] {
  const last = frames.findLastIndex((frame) => !isCaller(frame))
  if (last < 0) return frames
  let inTurn = false
  return frames.slice(0, last + 1).filter((frame) => {
    inTurn = frame.includes(TURN) || (inTurn && frame.includes(BELOW_TURN))
    return !inTurn
  })
}

function isCaller(frame: string): boolean {
  return OWN_PLACES.some((place) => frame.includes(place)) || /[( ]node:/.test(frame) || frame.endsWith('(<anonymous>)')
}
