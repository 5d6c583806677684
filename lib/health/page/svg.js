const SVG = 'http://www.w3.org/2000/svg'
const NICE = [1, 2, 4, 6, 8, 10]
const NICE_LARGE = [1, 2, 3, 4, 5, 6, 8, 10]
const STEPS_S = [5, 10, 15, 30, 60, 120, 300]

export const create = (name) => document.createElementNS(SVG, name)

export function make(parent, name, attributes = {}) {
  const element = create(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  parent.append(element)
  return element
}

/** Returns the end of an axis for values up to this one. */
export function niceMaximum(greatest) {
  const value = Math.max(greatest, 2)
  const scale = 10 ** Math.floor(Math.log10(value))
  // Half of it is a label, too, and must be a whole number where that matters.
  return scale * ((scale > 1 ? NICE_LARGE : NICE).find((step) => step * scale >= value) ?? 10)
}

/** Returns whole times between two, about `most` of them, but at least two. */
export function timesOf(begin, end, most) {
  const seconds = (end - begin) / 1000
  const stepMs = (STEPS_S.find((step) => seconds / step <= Math.max(2, most)) ?? 600) * 1000
  const first = Math.ceil(begin / stepMs) * stepMs
  const times = Array.from({ length: Math.floor((end - first) / stepMs) + 1 }, (_, index) => first + index * stepMs)
  return { stepMs, times }
}

/** Returns the data of a path through points; with `step`, a value holds until the next one. */
export function path(points, step) {
  return points
    .map(([x, y], index) => {
      const to = `${x.toFixed(1)} ${y.toFixed(1)}`
      if (index === 0) return `M${to}`
      return step ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `L${to}`
    })
    .join('')
}
