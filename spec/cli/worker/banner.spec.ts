import { describe, expect, it } from '@jest/globals'
import { banner } from '../../../lib/cli/worker/banner.js'
import { loadSettings } from '../../../lib/settings/load.js'

function lines(flags: Record<string, unknown> = {}, config: Record<string, unknown> = {}): string[] {
  const { settings, faults } = loadSettings({ config, env: {}, flags })
  expect(faults).toEqual([])
  return banner({
    nodename: 'w1@box',
    version: '0.1.0',
    platform: 'Linux-6.1-x64',
    now: new Date(2026, 10, 24, 8, 50, 14),
    app: { main: 'packit', tasks: [{ name: 'b.two' }, { name: 'celery.ping' }, { name: 'a.one' }] },
    settings,
  }).split('\n')
}

describe('the banner', () => {
  it("has Celery's fields beside the figure", () => {
    const root = lines({ broker_url: 'amqp://u:secret@localhost:5677//;amqp://u:secret@other' })
    expect(root).toEqual([
      '',
      '     \\ | /      w1@box v0.1.0 (celeriac)',
      '   \\  \\|/  /',
      '    \\_\\|/_/     Linux-6.1-x64 2026-11-24 08:50:14',
      "   .-'   '-.",
      '  / .  .  . \\   [config]',
      ' |  .    .   |  .> app:         packit',
      ' |    .   .  |  .> transport:   amqp://u:**@127.0.0.1:5677//',
      '  \\ .   .   /   .> results:     disabled://',
      "   '-.,_,.-'    .> concurrency: 16 (async)",
      '   / / | \\ \\                    a slot is one running task, not a process',
      "  ' /  |  \\ '   .> task events: OFF (enable -E to monitor tasks in this worker)",
      '',
      '                [queues]',
      '                .> celery           exchange=celery(direct) key=celery',
      '',
      '',
    ])
  })

  it('shows the bounds of the autoscaler, and the pool solo', () => {
    expect(lines({ worker_autoscale: '5,2' })[9]).toMatch(/\.> concurrency: {min=2, max=5} \(async\)$/)
    expect(lines({ worker_pool: 'solo' })[9]).toMatch(/\.> concurrency: 1 \(solo\)$/)
  })

  it.each([
    ['gevent', 'async', 'a slot is one running task, not a process'],
    ['prefork', 'prefork', 'a slot is a child process, with one task at a time'],
    ['processes', 'prefork', 'a slot is a child process, with one task at a time'],
    ['threads', 'threads', 'a slot is a thread, with one task at a time'],
  ])('names the pool that -P %s makes, and what a slot is in it', (pool, name, text) => {
    const root = lines({ worker_pool: pool, worker_concurrency: '3' })
    expect(root[9]).toMatch(new RegExp(`\\.> concurrency: 3 \\(${name}\\)$`))
    expect(root[10]).toMatch(new RegExp(`  ${text}$`))
  })

  it('masks the password of the result backend', () => {
    expect(lines({ result_backend: 'redis://:secret@h/0' })[8]).toContain('.> results:     redis://:**@h/0')
  })

  it('lists the queues that are consumed', () => {
    const config = {
      task_queues: [{ name: 'long-running', exchange: 'x', exchange_type: 'topic', routing_key: 'k.#' }],
    }
    expect(lines({ queues: 'long-running,b' }, config).slice(14, 16)).toEqual([
      '                .> long-running     exchange=x(topic) key=k.#',
      '                .> b                exchange=b(direct) key=b',
    ])
  })

  it("lists the tasks at INFO, and celery's own only at DEBUG", () => {
    expect(lines()).not.toContain('[tasks]')
    expect(lines({ loglevel: 'INFO' }).slice(16)).toEqual(['[tasks]', '  . a.one', '  . b.two', '', ''])
    expect(lines({ loglevel: 'DEBUG' })).toContain('  . celery.ping')
  })
})
