import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { DEPLOY } from './compose.js'

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[]
}

interface Dashboard {
  readonly uid: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string }[] }
}

const dashboard = JSON.parse(readFileSync(join(DEPLOY, 'grafana/celeriac.json'), 'utf8')) as Dashboard
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

describe('the dashboard', () => {
  it('has panels that say what they show, each in a place of its own', () => {
    const { panels } = dashboard
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    for (const { type, title, description, gridPos, targets = [] } of panels) {
      expect(title).not.toBe('')
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      if (type === 'row') continue
      expect(description).toMatch(/\.$/)
      for (const { datasource } of targets) expect(datasource.uid).toMatch(/^\$\{datasource\}$/)
      expect(targets.length).toBeGreaterThan(0)
    }
    const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    )
    expect(new Set(places).size).toBe(places.length)
  })

  it('asks for one namespace and worker, or all, in every expression, by variables that it has', () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace', 'component'])
    for (const expression of expressions) {
      const metrics = expression.match(/\b(celery|process|nodejs)_\w+/g) ?? []
      const selected = expression.match(/namespace=~"\$namespace",component=~"\$component"/g) ?? []
      expect([expression, selected.length]).toEqual([expression, metrics.length])
    }
  })

  it('has only expressions that Prometheus can read', () => {
    const directory = mkdtempSync(join(tmpdir(), 'celeriac-dashboard-'))
    const file = join(directory, 'tests.yml')
    const filled = expressions.map((expression) =>
      expression.replaceAll('$__rate_interval', '1m').replace(/\$(namespace|component)/g, '.*'),
    )
    // Without series, each of them is nothing.
    const tests = [{ promql_expr_test: filled.map((expr) => ({ expr, eval_time: '1m', exp_samples: [] })) }]
    try {
      writeFileSync(file, JSON.stringify({ tests }))
      expect(execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8', stdio: 'pipe' })).toContain(
        'SUCCESS',
      )
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
