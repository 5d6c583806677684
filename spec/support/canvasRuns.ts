import type { Dict } from '../peers/canvases.js'
import { sendCanvases } from './canvasWorkers.js'

/** What has become of a task. */
export interface End {
  readonly value?: unknown
  readonly error?: string
  readonly text?: string
}

/** What has become of a canvas. */
export interface CanvasEnd {
  /** What `get()` gives. */
  readonly got: End
  /** What each task of the result has come to; null for nothing yet. */
  readonly ends: ReadonlyArray<End | null>
  /** The same of the ids that were named. */
  readonly watched: ReadonlyArray<End | null>
}

/** The same canvases as in the other runs, sent to queues of its own. */
export interface CanvasRun {
  readonly canvases: readonly Dict[]
  /** Of each canvas, ids of tasks in it that are to be looked at. */
  readonly ids: ReadonlyArray<readonly string[]>
}

/** Only what hangs reaches it. */
const SECONDS = 600

/** Has Python's client send canvases, all runs of them at once, to workers that it then waits for: until all has ended, or nothing runs any more. */
export async function runCanvases(
  runs: readonly CanvasRun[],
  { queues }: { readonly queues: Readonly<Record<string, string>> },
): Promise<ReadonlyArray<readonly CanvasEnd[]>> {
  return JSON.parse(await sendCanvases({ runs, queues: Object.values(queues) }, SECONDS, 'runs'))
}
