import { expect, it } from '@jest/globals'
import { readLogLine } from './workerLog.js'

const json = (message: string, facts = {}): string =>
  JSON.stringify({ level: 'INFO', logger: 'autoscaler', message, ...facts })

it.each([
  [json('w1@host ready.'), { ready: true, slots: null }],
  [json('Scaling up 3 slots to 4: backlog', { slots: 4, reason: 'backlog', depth: 90 }), { ready: false, slots: 4 }],
  [json('Scaling down 7 slots to 1: surplus', { slots: 1 }), { ready: false, slots: 1 }],
  [json('Task a[1] succeeded: Scaling up is done', { slots: 4 }), { ready: false, slots: null }],
  [json('Scaling up', { slots: 'many' }), { ready: false, slots: null }],
  ['{"message": "cut off, Scaling up', { ready: false, slots: null }],
  [' -------------- w1@host v0.1.0 ready.', { ready: false, slots: null }],
  ['', { ready: false, slots: null }],
])('readLogLine(%j)', (line, heard) => {
  expect(readLogLine(line)).toEqual(heard)
})
