const exact = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export const figure = (value) => (value < 100_000 ? exact : compact).format(value)

/** Returns the local time of day, as 14:03:22. */
export const timeOf = (at) => new Date(at).toLocaleTimeString('en-GB')

export function duration(ms) {
  if (ms < 1000) return `${Math.round(Math.max(0, ms))} ms`
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.floor(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

export const element = (id) => document.getElementById(id)

/** Announces a text to screen readers: only urgent news, since the figures change all the time. */
export function announce(text) {
  setText(element('announcement'), text)
}

/** Leaves an element unchanged if it has this text already, so that nothing is read out or selected again. */
export function setText(element, text) {
  if (element.textContent !== String(text)) element.textContent = String(text)
}
