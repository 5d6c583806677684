export { AsyncResult, type GetOptions, type StatesOptions, type TaskState } from './app/asyncResult.js'
export type { RequestInfo, TaskContext } from './app/context.js'
export type { DeclaredTask } from './app/declaredTask.js'
export type {
  CallFacts,
  Hook,
  HookArguments,
  HookName,
  MessageFacts,
  OutgoingFacts,
  RunState,
  TaskFacts,
  WorkerFacts,
} from './app/hooks/hookArguments.js'
export type { KwargsTask } from './app/kwargsTask.js'
export { SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError } from './app/limitErrors.js'
export type { Middleware } from './app/middleware.js'
export type { OrderBy, OrderKey, OrderPart, OrderSource } from './app/orderKey.js'
export type { SendOptions } from './app/outlet.js'
export { Ignore, MaxRetriesExceededError, Reject, Retry, type RetryOptions } from './app/predicate.js'
export type { ResourceOptions } from './app/resources.js'
export type { StandardSchema } from './app/schema.js'
export type { BoundHandler, Handler, Task } from './app/task.js'
export type { ErrorClass, TaskOptions } from './app/taskOptions.js'
export { TimeoutError } from './app/timeoutError.js'
export { BreakerOpen, type BreakerOptions } from './breaker.js'
export { Celery } from './celery.js'
export { BrokerError, CeleriacError, ConfigurationError, type ErrorFacts } from './errors.js'
export type { Logger, LogLevel } from './ports.js'
export { type ExceptionDict, RemoteError } from './protocol/exception.js'
export type { Kwargs } from './protocol/message.js'
export { Decimal, PlainDate, PlainDateTime, PlainTime, PreciseDate, Uuid } from './protocol/values.js'
export type { Conf } from './settings/conf.js'
export type { Settings } from './settings/table.js'
export { Worker, type WorkerEnd, type WorkerEvents } from './worker/embedded.js'
export type { WorkerOptions } from './worker/embeddedOptions.js'
export type { PlainLogger } from './worker/givenLog.js'
