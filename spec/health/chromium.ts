import { type Browser, chromium, type Page } from 'playwright-core'

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Debian's Chromium, which asks nobody for anything of its own accord. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS })
}

/** What a page said to the console, and where it went: on a page that is well, nothing and nowhere else. */
export class Overheard {
  readonly said: string[] = []
  readonly asked: string[] = []

  constructor(page: Page) {
    page.on('console', (message) => this.said.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => this.said.push(`thrown: ${error.message}`))
    page.on('request', (request) => this.asked.push(request.url()))
  }
}

/**
 * Run in the page: the texts that are shown and stand out from their background by less than 4.5 to 1, the least that WCAG 2 (AA)
 * allows for small text.
 */
export const FAINT_TEXTS = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number)
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const { backgroundColor } = getComputedStyle(each)
      if (channels(backgroundColor)[3] !== 0) return backgroundColor
    }
    return 'rgb(255, 255, 255)'
  }
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
  const shown = [...document.querySelectorAll('body *')].filter(
    (element) => own(element) && element.checkVisibility() && !element.closest('.hidden, .skip, script, style'),
  )
  return shown.flatMap((element) => {
    const style = getComputedStyle(element)
    const color = element.namespaceURI.endsWith('svg') ? style.fill : style.color
    const [high, low] = [luminance(color), luminance(behind(element))].sort((one, other) => other - one)
    const ratio = (high + 0.05) / (low + 0.05)
    return ratio < 4.5 ? [element.textContent.trim() + ': ' + ratio.toFixed(2)] : []
  })
})()`
