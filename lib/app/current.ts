import { AsyncLocalStorage } from 'node:async_hooks'
import type { ResultTuple } from '../protocol/result.js'

/** The run that the calling code belongs to: messages sent from inside a task become its children. */
export const currentRun = new AsyncLocalStorage<{
  readonly id: string
  readonly rootId: string
  /** The node name of the worker that the code runs for. */
  readonly worker: string
  /** The tasks and groups that the run has sent, for its result. */
  readonly children: ResultTuple[]
}>()
