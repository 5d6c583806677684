import { AsyncLocalStorage } from 'node:async_hooks'
import type { ResultTuple } from '../protocol/result.js'

/** The run that the calling code belongs to: what is sent from inside a task becomes its child. */
export const currentRun = new AsyncLocalStorage<{
  readonly id: string
  readonly rootId: string
  /** The node name of the worker that it runs for. */
  readonly worker: string
  /** What it sent, for its result: tasks and groups. */
  readonly children: ResultTuple[]
}>()
