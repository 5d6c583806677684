import { AsyncLocalStorage } from 'node:async_hooks'
import type { ResultTuple } from '../protocol/result.js'

/** The run that the calling code belongs to: messages sent from inside a task become its children. */
export const currentRun = new AsyncLocalStorage<{
  readonly id: string
  readonly rootId: string
  /** The node name of the worker that the code runs for. */
  readonly worker: string
  /** The tasks and groups that the run has sent, for its result. Frozen once the run is over. */
  readonly children: ResultTuple[]
}>()

/**
 * Adds a task or a group that was just sent to the children of the run that sent it. Does nothing outside a run, and
 * once it is over: a timer that a task has created sends in the name of its run for as long as the process lives.
 * @param make returns the child's result; called only if it is added
 */
export function addChild(make: () => ResultTuple): void {
  const children = currentRun.getStore()?.children
  if (children && !Object.isFrozen(children)) children.push(make())
}
