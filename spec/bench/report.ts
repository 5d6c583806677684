import { type Figure, type Findings, isReached, type Row } from './findings.js'
import { number } from './number.js'

/** One case and what it found, or why it couldn't be run. */
export interface Outcome {
  readonly name: string
  readonly title: string
  readonly findings: Findings | null
  readonly error: string | null
  readonly seconds: number
}

/** All of a run. */
export interface Report {
  readonly date: string
  readonly machine: string
  /** Small counts and one round: not to be judged. */
  readonly quick: boolean
  readonly outcomes: readonly Outcome[]
}

/** One case as lines for the terminal. */
export function lines({ error, findings, seconds, title }: Outcome, quick: boolean): string[] {
  const head = `${title}  (${seconds.toFixed(0)} s)`
  if (!findings) return [head, `  couldn't be run: ${error}`]
  const rows = findings.rows.map((row) => [row.entrant, number(row.median), row.unit, spread(row), row.note ?? ''])
  const figures = findings.figures.map((figure) => [
    figure.what,
    `${number(figure.median)}${figure.unit === 'x' ? ' x' : ''}`,
    figure.unit === 'x' ? '' : figure.unit,
    spread(figure),
    `target ${target(figure)}`,
    quick ? 'not judged' : isReached(figure) ? 'reached' : 'SHORT',
  ])
  return [
    head,
    ...columns(rows).map((line) => `  ${line}`),
    ...columns(figures).map((line) => `  = ${line}`),
    ...(findings.note === undefined ? [] : [`  ${findings.note}`]),
  ]
}

/** How many figures reach their targets. */
export function conclusion({ outcomes, quick }: Report): string {
  const failed = outcomes.filter(({ findings }) => !findings).length
  const figures = outcomes.flatMap(({ findings }) => findings?.figures ?? [])
  const reached = figures.filter(isReached).length
  const judged = quick
    ? `${figures.length} figures, not judged`
    : `${reached} of ${figures.length} figures reach their targets`
  return failed === 0 ? `${judged}.` : `${judged}; ${failed} cases couldn't be run.`
}

/** The report with what an earlier one found of the cases that were not run this time; on another machine or in other counts it is worth nothing. */
export function withEarlier(report: Report, earlier: Report): Report {
  if (earlier.quick !== report.quick || cores(earlier) !== cores(report)) return report
  const run = new Map(report.outcomes.map((outcome) => [outcome.name, outcome]))
  const known = earlier.outcomes.map((outcome) => run.get(outcome.name) ?? outcome)
  const names = new Set(known.map(({ name }) => name))
  return { ...report, outcomes: [...known, ...report.outcomes.filter(({ name }) => !names.has(name))] }
}

/** The machine, without how busy it was. */
const cores = ({ machine }: Report): string => machine.split('; ')[0] ?? ''

/** The results for a file. */
export function json(report: Report): string {
  const outcomes = report.outcomes.map(({ findings, ...outcome }) => ({
    ...outcome,
    findings: findings && {
      ...findings,
      figures: findings.figures.map((figure) => ({ ...figure, reached: report.quick ? null : isReached(figure) })),
    },
  }))
  const rounded = (_key: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(5)) : value
  const text = JSON.stringify({ ...report, outcomes }, rounded, 2)
  // The rounds of a measurement belong on one line.
  return `${text.replace(/\[\n([^[\]{}]+)\n *\]/g, (_, list: string) => `[${list.trim().split(/,\n */).join(', ')}]`)}\n`
}

export function target({ target, unit }: Pick<Figure, 'target' | 'unit'>): string {
  const [word, value] = 'atLeast' in target ? ['>=', target.atLeast] : ['<=', target.atMost]
  return [word, number(value), unit].filter((part) => part !== '').join(' ')
}

function spread({ highest, lowest, rounds }: Pick<Row, 'highest' | 'lowest' | 'rounds'>): string {
  return rounds.length > 1 ? `(${number(lowest)} to ${number(highest)})` : ''
}

/** The first column to the left, the second to the right, the others to the left. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
