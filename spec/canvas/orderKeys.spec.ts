import { describe, expect, it } from '@jest/globals'
import { Celery, chain, chord, group, type SendOptions, type Signature } from '../../lib/index.js'
import { captureSent } from '../../lib/testing/sent.js'
import { testWorker } from '../../lib/testing/testWorker.js'
import { waitFor } from '../support/waitFor.js'

it('a keyed step of a chain takes its place when it is sent, behind what was sent before that', async () => {
  const app = new Celery('keyed', {})
  const order: string[] = []
  let go = (): void => undefined
  const held = new Promise<void>((resolve) => {
    go = resolve
  })
  app.task('note', { orderBy: 'kwargs.key', params: ['name', 'key'] }, async (name: string, _key: string) => {
    order.push(name)
    if (name === 'first') await held
  })
  const here = await testWorker(app, { concurrency: 4 })
  const step = (name: string) =>
    app.signature({ ...app.signature('note', [name]).toJSON(), kwargs: { key: 'k' }, immutable: true })
  const result = await chain([step('first'), step('second'), step('third')]).delay()
  await waitFor(() => order.length > 0, { what: 'the first step' })
  await app.sendTask('note', ['between'], { key: 'k' })
  await app.sendTask('note', ['other'], { key: 'another' })
  await waitFor(() => order.includes('other'), { what: 'the task with another key' })
  go()
  await result.get({ timeout: 20 })
  expect(order).toEqual(['first', 'other', 'between', 'second', 'third'])
  await here.stop()
})

describe('an order key of a signature and other headers, whatever is written first', () => {
  const app = new Celery('headers', {})
  const step = (options: SendOptions) => app.signature('step', [], {}, options)
  const key = { orderKey: 'k' }
  const trace = { headers: { trace: 't' } }

  it.each<[string, Signature, SendOptions, [key: unknown, trace: unknown][]]>([
    ['the key, then headers in a call', step(key), trace, [['k', 't']]],
    ['the key, then headers by set', step(key).set(trace), {}, [['k', 't']]],
    ['headers, then the key in a call', step(trace), key, [['k', 't']]],
    ['another key', step(trace).set({ orderKey: 'other' }), key, [['k', 't']]],
    ['no key any more', step(key), { headers: { order_key: null, trace: 't' } }, [[null, 't']]],
    ['other headers, which replace those before', step(trace), { headers: { other: 1 } }, [[undefined, undefined]]],
    [
      'keys of members, then headers',
      sideBySide(step(key), step({})),
      trace,
      [
        ['k', 't'],
        [undefined, 't'],
      ],
    ],
    [
      'keys of members, then headers by set',
      sideBySide(step(key), step({})).set(trace),
      {},
      [
        ['k', 't'],
        [undefined, 't'],
      ],
    ],
    [
      'headers of members, then a key',
      sideBySide(step(trace), step({})),
      key,
      [
        ['k', 't'],
        ['k', undefined],
      ],
    ],
    ['the key of a step, then headers', chain(step(key), step({})), trace, [['k', 't']]],
    ['headers of a step, then the key', chain(step(trace), step({})), key, [['k', 't']]],
    ['the key of a chain, then headers', chain(step({}), step({})).set(key), trace, [['k', 't']]],
    ['the key of a chord, then headers', chord([], step({})).set(key), trace, [['k', 't']]],
    ['the key of a body, then headers', chord([], step(key)), trace, [['k', 't']]],
    ['headers of a body, then the key', chord([], step(trace)), key, [['k', 't']]],
  ])('%s', async (_, sig, options, headers) => {
    const sent = captureSent(app)
    await sig.applyAsync([], {}, options)
    expect(sent.tasks.map(({ headers }) => [headers.order_key, headers.trace])).toEqual(headers)
    sent.stop()
  })

  function sideBySide(...members: Signature[]): Signature {
    return group(members) as unknown as Signature
  }
})
