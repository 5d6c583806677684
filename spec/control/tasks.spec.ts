import { beforeEach, describe, expect, it } from '@jest/globals'
import { growthOf } from '../support/growth.js'
import { Gated, OfflineApp } from '../support/offlineLine.js'
import { OfflinePanel } from './offlinePanel.js'

describe('the commands about tasks', () => {
  let gated: Gated
  let node: OfflinePanel

  beforeEach(() => {
    const app = new OfflineApp('spec')
    gated = new Gated()
    app.task('tasks.plain', gated.run)
    app.task('tasks.limited', { rateLimit: '10/m', maxRetries: 5, acksLate: true }, gated.run)
    app.task('celery.builtin', gated.run)
    node = new OfflinePanel(app)
  })

  describe('registered', () => {
    it('lists them by name, with their rate limits, without the built-in ones', () => {
      expect(node.answer('registered')).toEqual(['tasks.limited [rate_limit=10/m]', 'tasks.plain'])
      expect(node.answer('dump_tasks', { builtins: true })).toEqual([
        'celery.builtin',
        'tasks.limited [rate_limit=10/m]',
        'tasks.plain',
      ])
    })

    it('shows the options that are asked for, under their names in Python', () => {
      expect(node.answer('registered', { taskinfoitems: ['max_retries', 'acks_late', 'nonsense'] })).toEqual([
        'tasks.limited [max_retries=5 acks_late=True]',
        'tasks.plain [max_retries=3 acks_late=False]',
      ])
    })

    it('shows a rate limit as it was changed', () => {
      node.answer('rate_limit', { task_name: 'tasks.plain', rate_limit: '5/s' })
      node.answer('rate_limit', { task_name: 'tasks.limited', rate_limit: 0 })
      expect(node.answer('registered')).toEqual(['tasks.limited [rate_limit=0]', 'tasks.plain [rate_limit=5/s]'])
    })

    it('shows the serializer, which no task has to itself', () => {
      expect(node.answer('registered', { taskinfoitems: ['serializer'] })).toEqual([
        'tasks.limited [serializer=json]',
        'tasks.plain [serializer=json]',
      ])
    })
  })

  describe('rate_limit', () => {
    it('changes, lifts and refuses', () => {
      const { rates } = node.offline.line.gate
      expect(node.answer('rate_limit', { task_name: 'tasks.plain', rate_limit: '6/m' })).toEqual({
        ok: 'new rate limit set successfully',
      })
      expect(rates.of('tasks.plain')).toBe(0.1)
      // The text, as the command line sends it, is a rate to Celery as well; that it lifts the limit, too, is another thing.
      expect(node.answer('rate_limit', { task_name: 'tasks.plain', rate_limit: '0' })).toEqual({
        ok: 'new rate limit set successfully',
      })
      expect(rates.of('tasks.plain')).toBeNull()
      expect(node.answer('rate_limit', { task_name: 'tasks.plain', rate_limit: null })).toEqual({
        ok: 'rate limit disabled successfully',
      })
      expect(rates.of('tasks.plain')).toBeNull()
      expect(node.answer('rate_limit', { task_name: 'nobody', rate_limit: '1/s' })).toEqual({ error: 'unknown task' })
      expect(node.answer('rate_limit', { task_name: 'tasks.plain', rate_limit: 'fast' })).toEqual({
        error: `Invalid rate limit string: ValueError("could not convert string to float: 'fast'")`,
      })
    })

    it('complains of missing arguments in the words of Python', () => {
      expect(node.answer('rate_limit', {})).toEqual({
        error: `TypeError("rate_limit() missing 2 required positional arguments: 'task_name' and 'rate_limit'")`,
      })
      expect(node.answer('rate_limit', { task_name: 'tasks.plain' })).toEqual({
        error: `TypeError("rate_limit() missing 1 required positional argument: 'rate_limit'")`,
      })
    })
  })

  describe('time_limit', () => {
    it('sets both limits, and takes away the one that is not given', () => {
      const task = node.offline.line
      expect(node.answer('time_limit', { task_name: 'tasks.plain', soft: 1, hard: 2.5 })).toEqual({
        ok: 'time limits set successfully',
      })
      expect(node.answer('registered', { taskinfoitems: ['soft_time_limit', 'time_limit'] })).toContain(
        'tasks.plain [soft_time_limit=1 time_limit=2.5]',
      )
      node.answer('time_limit', { task_name: 'tasks.plain', soft: 3 })
      expect(node.answer('registered', { taskinfoitems: ['soft_time_limit', 'time_limit'] })).toContain(
        'tasks.plain [soft_time_limit=3]',
      )
      expect(task.state.requests.size).toBe(0)
    })

    it('knows no other tasks than its own', () => {
      expect(node.answer('time_limit', { task_name: 'nobody', soft: 1 })).toEqual({ error: 'unknown task' })
      expect(node.answer('time_limit', {})).toEqual({ error: 'unknown task' })
    })
  })

  describe('revoke', () => {
    it('flags one id or several', () => {
      expect(node.answer('revoke', { task_id: 'a', terminate: false, signal: 'SIGTERM' })).toEqual({
        ok: "tasks {'a'} flagged as revoked",
      })
      expect(node.answer('revoke', { task_id: ['b', 'c', 'b'] })).toEqual({ ok: "tasks {'b', 'c'} flagged as revoked" })
      expect(node.answer('revoked')).toEqual(['a', 'b', 'c'])
    })

    it('tells those that run to stop with terminate', () => {
      node.offline.deliver('tasks.plain', { id: 'runs', args: ['runs'] })
      const [request] = node.offline.line.state.running
      expect(node.answer('revoke', { task_id: ['runs', 'not'], terminate: true })).toEqual({ ok: 'terminate: runs' })
      expect(request?.aborted).toBe(true)
      expect(node.answer('terminate', { signal: 'KILL', task_id: ['not'] })).toEqual({ ok: 'terminate: tasks unknown' })
      expect(node.answer('revoked')).toEqual(['runs', 'not'])
    })

    it('stops them with the signal that was asked for, and tells of that one', () => {
      const names = ['KILL', 'SIGINT', 10, null] as const
      for (const [at, signal] of names.entries()) {
        node.offline.deliver('tasks.plain', { id: `t${at}`, args: [`t${at}`] })
        node.answer('terminate', { signal, task_id: `t${at}` })
      }
      expect([...node.offline.line.state.running].map(({ terminatedBy }) => terminatedBy)).toEqual([9, 2, 10, 15])
      expect(node.offline.log.of('INFO').filter((text) => text.startsWith('Terminating'))).toEqual([
        'Terminating t0 (9)',
        'Terminating t1 (2)',
        'Terminating t2 (10)',
        'Terminating t3 (15)',
      ])
    })

    it.each([
      ['SIGNOPE', `AttributeError("module 'signal' has no attribute 'SIGNOPE'")`],
      ['NOPE', `AttributeError("module 'signal' has no attribute 'SIGNOPE'")`],
      ['toString', "TypeError('signal name must be uppercase string.')"],
      ['sigterm', "TypeError('signal name must be uppercase string.')"],
      [['TERM'], "TypeError('signal name must be uppercase string.')"],
      [1.5, "TypeError('signal name must be uppercase string.')"],
      [999, "ValueError('there is no signal 999')"],
    ])('refuses the signal %j before anything is revoked', (signal, error) => {
      expect(node.answer('terminate', { signal, task_id: 'a' })).toEqual({ error })
      expect(node.answer('revoke', { signal, task_id: 'a', terminate: true })).toEqual({ error })
      expect(node.answer('revoke_by_stamped_headers', { signal, headers: { a: 'b' } })).toEqual({ error })
      expect(node.answer('revoked')).toEqual([])
    })

    it('wants ids', () => {
      expect(node.answer('revoke')).toEqual({
        error: `TypeError("revoke() missing 1 required positional argument: 'task_id'")`,
      })
      expect(node.answer('terminate', { signal: 'TERM' })).toEqual({
        error: `TypeError("terminate() missing 1 required positional argument: 'task_id'")`,
      })
    })

    it('goes by stamps as well', async () => {
      const headers = { stamped_headers: ['mid'], stamps: { mid: 'a' } }
      expect(node.answer('revoke_by_stamped_headers', { headers: { mid: 'a' } })).toEqual({
        ok: "headers {'mid': ['a']} flagged as revoked, but not terminated",
      })
      node.offline.deliver('tasks.plain', { args: ['x'], headers })
      await node.offline.turn()
      expect(gated.started).toEqual([])
      expect(node.answer('revoke_by_stamped_headers', { headers: ['constructor=a'] })).toEqual({
        ok: "headers {'constructor': ['a']} flagged as revoked, but not terminated",
      })
      expect(node.answer('revoke_by_stamped_headers', { headers: ['mid=b'], terminate: true })).toEqual({
        ok: "headers {'mid': ['b']} were not terminated",
      })
      node.offline.deliver('tasks.plain', { args: ['y'], headers: { stamped_headers: ['mid'], stamps: { mid: 'c' } } })
      expect(node.answer('revoke_by_stamped_headers', { headers: { mid: ['c'] }, terminate: true })).toEqual({
        ok: "headers {'mid': ['c']} revoked",
      })
    })

    it('takes no longer for each of many stamps', () => {
      const ask = (headers: string[]) => node.answer('revoke_by_stamped_headers', { headers, terminate: false })
      const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `mid=${at}`)
      expect(growthOf(ask, many, 5000)).toBeLessThan(4)
    })
  })
})
