export { type KeptLine, KeptLog } from '../log/kept.js'
export type { RunOptions, RunTraces } from './run.js'
export {
  type NamedRunOptions,
  type PlainRunOptions,
  runTask,
  type TaskOutcome,
  type TaskRun,
  tryTask,
} from './runTask.js'
export { captureSent, type SentTask, type SentTasks } from './sent.js'
export { type TestWorker, type TestWorkerOptions, testWorker } from './testWorker.js'
