import { expect, it } from '@jest/globals'
import { readLogLine } from './workerLog.js'

const json = (message: string, facts = {}): string =>
  JSON.stringify({ level: 'INFO', logger: 'autoscaler', message, ...facts })

it.each([
  [json('w1@host ready.'), { ready: true, slots: null, lanes: null }],
  [
    json('Scaling up 3 slots to 4: backlog', { slots: 4, reason: 'backlog', depth: 90 }),
    { ready: false, slots: 4, lanes: null },
  ],
  [json('Scaling down 7 slots to 1: surplus', { slots: 1 }), { ready: false, slots: 1, lanes: null }],
  [json('Task a[1] succeeded: Scaling up is done', { slots: 4 }), { ready: false, slots: null, lanes: null }],
  [json('Scaling up', { slots: 'many' }), { ready: false, slots: null, lanes: null }],
  ['{"message": "cut off, Scaling up', { ready: false, slots: null, lanes: null }],
  [' -------------- w1@host v0.1.0 ready.', { ready: false, slots: null, lanes: null }],
  [json('This worker gets 11 of 32 lanes of q; workers in the fleet: 3'), { ready: false, slots: null, lanes: 11 }],
  ['', { ready: false, slots: null, lanes: null }],
])('readLogLine(%j)', (line, heard) => {
  expect(readLogLine(line)).toEqual(heard)
})
