import { isDeepStrictEqual } from 'node:util'
import type { Signature } from './signature.js'

/** Up to this length a list is searched as it is. */
const SHORT = 8

/**
 * Returns a list with further signatures at its end, those left out that it has already. A message may bring as many as
 * it likes, so not each of them is compared with each: only those with the same text are.
 */
export function addUnlisted(list: readonly Signature[], sigs: readonly Signature[]): Signature[] {
  const all = [...list]
  if (list.length + sigs.length <= SHORT) {
    for (const sig of sigs) if (!all.some((other) => isDeepStrictEqual(other, sig))) all.push(sig)
    return all
  }
  const alike = new Map<string, Signature[]>()
  for (const sig of list) bucketOf(alike, sig).push(sig)
  for (const sig of sigs) {
    const bucket = bucketOf(alike, sig)
    if (bucket.some((other) => isDeepStrictEqual(other, sig))) continue
    bucket.push(sig)
    all.push(sig)
  }
  return all
}

function bucketOf(alike: Map<string, Signature[]>, sig: Signature): Signature[] {
  const text = textOf(sig)
  const bucket = alike.get(text) ?? []
  alike.set(text, bucket)
  return bucket
}

/**
 * A text that equal signatures share, and others that a message can bring do not: texts begin with another letter than
 * what stands for numbers, dates or bytes.
 */
function textOf(sig: Signature): string {
  try {
    return JSON.stringify(sig, function (this: Record<string, unknown>, key: string, value: unknown): unknown {
      const given = this[key]
      if (typeof given === 'string') return `t${given}`
      if (typeof given === 'bigint' || typeof given === 'number') return `n${Object.is(given, -0) ? '-0' : given}`
      if (typeof given !== 'object' || given === null || Array.isArray(given)) return given
      return isMapping(given) ? inOrder(given) : `v${given.constructor.name} ${contentOf(given, value)}`
    })
  } catch {
    // Circular, or nested too deep: it can't be sent either.
    return ''
  }
}

/** A date has more digits than its text in JSON. */
function contentOf(given: object, written: unknown): string {
  if (ArrayBuffer.isView(given)) return Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString('base64')
  return JSON.stringify([written, Object.entries(given)])
}

function isMapping(value: object): value is Record<string, unknown> {
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The order of keys makes no difference. */
function inOrder(mapping: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(mapping).sort(([one], [other]) => (one < other ? -1 : 1)))
}
