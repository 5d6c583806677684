import { AsyncResource } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { serialize } from 'node:v8'
import { expect, it } from '@jest/globals'
import type { TaskContext } from '../../lib/app/context.js'
import { addChild, currentRun } from '../../lib/app/current.js'
import { Replace } from '../../lib/app/predicate.js'
import { ChildRun } from '../../lib/executors/childRun.js'
import { type FromChild, type JobEnd, packError, packInfo } from '../../lib/executors/messages.js'
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

let replacements = 0
app.task('cpu.replacedAtItsEnd', { bind: true }, async ({ signal }: TaskContext) => {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  throw new Replace(async () => void replacements++)
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

it.each([
  ['sends no replacement of a job that was terminated', true, 0],
  ['sends that of a job that is only told to end', false, 1],
])('%s', async (_, isOver, sent) => {
  replacements = 0
  const ends = await endsOf('cpu.replacedAtItsEnd', (child) =>
    child.receive({ type: 'abort', job: 1, error: packError(new Error('stop')), isOver }),
  )
  expect([ends, replacements]).toMatchObject([[{ outcome: { state: 'IGNORED' } }], sent])
})

/** Runs a task as a child does. */
async function endsOf(
  task: string,
  whenRunning: (child: ChildRun) => void = () => undefined,
): Promise<readonly JobEnd[]> {
  const ends: JobEnd[] = []
  const send = (message: FromChild): void => {
    serialize(message)
    if (message.type === 'done') ends.push(message.end)
  }
  const child = new ChildRun({ specifier: `${ROOT}/spec/apps/cpu.ts`, cwd: ROOT, include: [] }, () => 0, send)
  const info = requestInfo(PoolHarness.unstarted(threadsPool, {}).request(task), 'w@spec')
  await child.loaded()
  const job = { number: 1, info: packInfo(info), carrier: {}, breakers: {}, levels: [], hooked: false }
  const running = child.run(job, send)
  await nextTurn()
  whenRunning(child)
  await running
  return ends
}
