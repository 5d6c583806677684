import type { BodyLimits, Serializer } from 'celeriac'

const TAG = 'tagged:'

/** JSON behind a tag, as somebody would write a serializer by the recipe of `lib/README.md`. */
export const tagged: Serializer = {
  name: 'tagged',
  contentType: 'application/x-tagged',
  contentEncoding: 'utf-8',
  read(content, limits) {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content)
    if (!text.startsWith(TAG)) throw new TypeError(`it does not begin with ${TAG}`)
    const value: unknown = JSON.parse(text.slice(TAG.length))
    count(value, limits, { items: 0 }, 0)
    return value
  },
  write: (value) => Buffer.from(`${TAG}${JSON.stringify(value)}`),
}

function count(value: unknown, limits: BodyLimits, seen: { items: number }, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  const parts = Object.values(value)
  seen.items += 1 + (Array.isArray(value) ? 0 : parts.length)
  if (depth >= limits.maxNesting || seen.items > (limits.maxItems ?? 1_000_000)) throw new RangeError('it is too much')
  for (const part of parts) count(part, limits, seen, depth + 1)
}
