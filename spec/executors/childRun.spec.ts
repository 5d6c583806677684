import { AsyncResource } from 'node:async_hooks'
import { serialize } from 'node:v8'
import { expect, it } from '@jest/globals'
import { addChild, currentRun } from '../../lib/app/current.js'
import { ChildRun } from '../../lib/executors/childRun.js'
import { type FromChild, type JobEnd, packInfo } from '../../lib/executors/messages.js'
import { threadsPool } from '../../lib/executors/threads.js'
import { type ResultTuple, taskTuple } from '../../lib/protocol/result.js'
import { requestInfo } from '../../lib/trace/trace.js'
import app from '../apps/cpu.js'
import { ROOT } from '../support/workerProgram.js'
import { PoolHarness } from './poolHarness.js'

let left: { readonly children: readonly ResultTuple[]; readonly send: () => void }
/** More than any stack holds. */
const TOO_DEEP = 100_000

app.task('cpu.sendsDeep', () => {
  let deep: ResultTuple | null = null
  for (let step = 0; step < TOO_DEEP; step++) deep = taskTuple(`step-${step}`, deep)
  if (deep !== null) currentRun.getStore()?.children.push(deep)
})

app.task('cpu.leavesSender', () => {
  const store = currentRun.getStore()
  const send = AsyncResource.bind(() => addChild(() => taskTuple('sent')))
  send()
  left = { children: store?.children ?? [], send }
})

it('adds nothing to the children of a job that has ended', async () => {
  const ends = await endsOf('cpu.leavesSender')
  left.send()
  expect(left.children).toEqual([taskTuple('sent')])
  expect(ends).toMatchObject([{ outcome: { state: 'SUCCESS' }, children: [taskTuple('sent')] }])
})

it('ends a job whose children cannot be sent to the worker, as a failure', async () => {
  const ends = await endsOf('cpu.sendsDeep')
  expect(ends).toMatchObject([{ outcome: { state: 'FAILURE', error: { name: 'RangeError' } }, children: [] }])
})

/** Runs a task as a child does. */
async function endsOf(task: string): Promise<readonly JobEnd[]> {
  const ends: JobEnd[] = []
  const send = (message: FromChild): void => {
    serialize(message)
    if (message.type === 'done') ends.push(message.end)
  }
  const child = new ChildRun({ specifier: `${ROOT}/spec/apps/cpu.ts`, cwd: ROOT, include: [] }, () => 0, send)
  const info = requestInfo(PoolHarness.unstarted(threadsPool, {}).request(task), 'w@spec')
  await child.run({ number: 1, info: packInfo(info), carrier: {}, breakers: {}, levels: [], hooked: false }, send)
  return ends
}
