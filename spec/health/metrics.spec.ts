import { beforeEach, describe, expect, it } from '@jest/globals'
import { Histogram } from '../../lib/health/histogram.js'
import { Metrics } from '../../lib/health/metrics.js'

describe('metrics', () => {
  let metrics: Metrics

  beforeEach(() => {
    metrics = new Metrics()
  })

  async function family(name: string): Promise<string[]> {
    return (await metrics.text()).split('\n').filter((line) => line.includes(name))
  }

  it('are read again at each scrape, and a series that has gone is gone', async () => {
    let depths = new Map([
      ['a', 1],
      ['b', 2],
    ])
    metrics.gauge('x_depth', 'Depth.', ['queue'], () =>
      [...depths].map(([queue, value]) => ({ value, labels: { queue } })),
    )
    expect(await family('x_depth{')).toEqual(['x_depth{queue="a"} 1', 'x_depth{queue="b"} 2'])
    depths = new Map([['b', 0]])
    expect(await family('x_depth{')).toEqual(['x_depth{queue="b"} 0'])
  })

  it('give a counter the total that it is told, not the sum of what it was told', async () => {
    let total = 5
    metrics.counter('x_total', 'Total.', [], () => [{ value: total }])
    expect(await family('x_total ')).toContain('x_total 5')
    total = 7
    expect(await family('x_total ')).toContain('x_total 7')
  })

  it('write a histogram with its buckets added up', async () => {
    const histogram = new Histogram([0.1, 1])
    for (const value of [0.05, 0.1, 0.5, 30]) histogram.observe(value)
    metrics.histogram('spec_seconds', 'Time.', () => [{ value: histogram, labels: { name: 'n' } }])
    expect(await family('spec_seconds')).toEqual([
      '# HELP spec_seconds Time.',
      '# TYPE spec_seconds histogram',
      'spec_seconds_bucket{name="n",le="0.1"} 2',
      'spec_seconds_bucket{name="n",le="1.0"} 3',
      'spec_seconds_bucket{name="n",le="+Inf"} 4',
      'spec_seconds_sum{name="n"} 30.65',
      'spec_seconds_count{name="n"} 4',
    ])
  })

  it('escape what a label may hold', async () => {
    const name = 'a"b\\c\nd'
    metrics.untyped('x_untyped', 'Any.', () => [{ value: 1, labels: { name } }])
    metrics.gauge('x_gauge', 'Any.', ['name'], () => [{ value: 1, labels: { name } }])
    expect((await family('x_untyped{')).concat(await family('x_gauge{'))).toEqual([
      'x_untyped{name="a\\"b\\\\c\\nd"} 1',
      'x_gauge{name="a\\"b\\\\c\\nd"} 1',
    ])
  })

  it('tell of the process, however many workers run in it', async () => {
    const other = new Metrics()
    expect(await family('process_resident_memory_bytes ')).toHaveLength(3)
    expect(await other.text()).toContain('process_resident_memory_bytes ')
  })
})
