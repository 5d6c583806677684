import { type Figure, isReached, margin } from './findings.js'
import { number } from './number.js'
import { type Report, target } from './report.js'

/*
 * One bar for each figure: how many times its target it is. What is at or beyond the line has reached it. Text and lines take
 * mid-tones or follow the viewer's colour scheme, so that the picture can be read on white and on black.
 */

const WIDTH = 960
const LABEL = 380
const VALUE = 200
const ROW = 22
const HEAD = 54
const FOOT = 34
/** Bars that are longer are cut; their value stands beside them. */
const LONGEST = 2

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: 600 }
  .quiet { fill: #57606a; font-size: 12px }
  .reached { fill: #2da44e }
  .short { fill: #d1622b }
  .line { stroke: #57606a; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .line { stroke: #9198a1 }
  }
`

/** The report as an SVG picture; nothing but its own text. */
export function picture(report: Report): string {
  const bars = report.outcomes.flatMap(({ findings, title }) =>
    (findings?.figures ?? [])
      // A count that has to be 0 has no bar.
      .filter(({ unit }) => unit !== '')
      .map((figure) => ({ figure, title })),
  )
  const height = HEAD + bars.length * ROW + FOOT
  const scale = (WIDTH - LABEL - VALUE) / LONGEST
  const mark = LABEL + scale
  const rows = bars.map(({ figure, title }, index) => bar(figure, title, HEAD + index * ROW, scale))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>Celeriac's figures against their targets</title>
<style>${STYLE}</style>
<text class="title" x="8" y="22">Figures against their targets</text>
<text class="quiet" x="${mark}" y="${HEAD - 10}" text-anchor="middle">target</text>
<line class="line" x1="${mark}" x2="${mark}" y1="${HEAD - 4}" y2="${height - FOOT + 4}"/>
${rows.join('\n')}
<text class="quiet" x="8" y="${height - 12}">${escapeXml(foot(report))}</text>
</svg>
`
}

function foot({ date, quick }: Report): string {
  return `${date}; a longer bar is better; cut at ${LONGEST} times the target${quick ? '; a quick run, not to be judged' : ''}`
}

function bar(figure: Figure, title: string, y: number, scale: number): string {
  const length = Math.min(LONGEST, Math.max(0, margin(figure))) * scale
  const kind = isReached(figure) ? 'reached' : 'short'
  const value = `${number(figure.median)} ${figure.unit} (${target(figure)})`
  const base = y + 15
  return [
    `<g><title>${escapeXml(`${title}: ${figure.what}`)}</title>`,
    `<text x="${LABEL - 10}" y="${base}" text-anchor="end">${escapeXml(figure.label)}</text>`,
    `<rect class="${kind}" x="${LABEL}" y="${y + 3}" width="${length.toFixed(1)}" height="${ROW - 6}" rx="2"/>`,
    `<text x="${WIDTH - VALUE + 12}" y="${base}">${escapeXml(value)}</text></g>`,
  ].join('')
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
