export { AsyncResult, type TaskState } from './app/asyncResult.js'
export type { RequestInfo, TaskContext, TaskRequest } from './app/context.js'
export type { DeclaredTask } from './app/declaredTask.js'
export { GroupResult, type ReadyMember } from './app/groupResult.js'
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
export type { OrderBy, OrderKey, OrderPart, OrderSource, SentKey } from './app/orderKey.js'
export type { SendOptions, SignatureValue } from './app/outlet.js'
export type {
  ArgumentKind,
  ArgumentValues,
  CommandArguments,
  CommandOptions,
  CommandValues,
  CommandWorker,
} from './app/ownCommands.js'
export { Ignore, MaxRetriesExceededError, Reject, Replace, Retry, type RetryOptions } from './app/predicate.js'
export type { ResourceOptions } from './app/resources.js'
export type { AnyResult, GetOptions, RevokeOptions, StatesOptions } from './app/result.js'
export type { StandardSchema } from './app/schema.js'
export type { BoundHandler, Handler, Task } from './app/task.js'
export type { ErrorClass, TaskOptions } from './app/taskOptions.js'
export { TimeoutError } from './app/timeoutError.js'
export { Chunks } from './app/workflow/chunks.js'
export { chain, chord, type Group, group } from './app/workflow/combine.js'
export { type AnySignature, type Callback, Signature } from './app/workflow/signature.js'
export type { StampedPart, Stamping, StampingVisitor, StampOptions, Stamps } from './app/workflow/stamps.js'
export { BackendError } from './backends/backendError.js'
export {
  type BackendFactory,
  type BackendOptions,
  type BackendParts,
  type BackendSettings,
  registerBackend,
} from './backends/register.js'
export { BreakerOpen, type BreakerOptions, type BreakerState, type WatchedBreaker } from './breaker.js'
export type {
  Broker,
  BrokerConnection,
  BrokerFactory,
  BrokerOptions,
  BrokerPublisher,
  ConnectionListener,
} from './broker/broker.js'
export type { EventSink } from './broker/eventSink.js'
export type { Destination, FleetSession, Move, MoveOptions } from './broker/fleetSession.js'
export {
  type HandOver,
  type Intake,
  type IntakeOptions,
  type IntakeWindow,
  type QueueDepth,
  QueueRefused,
} from './broker/intake.js'
export { PublishState } from './broker/publishState.js'
export type { PublishRetryPolicy } from './broker/publishTries.js'
export { type RegisterOptions, registerBroker } from './broker/register.js'
export type { ReplyInlet, ReplyQueue } from './broker/replyInlet.js'
export type { ReplySink } from './broker/replySink.js'
export type { Broadcast, Listener, Session } from './broker/session.js'
export { SignatureError } from './canvas/signatureError.js'
export { Celery } from './celery.js'
export type { Component } from './component.js'
export { BrokerError, CeleriacError, ConfigurationError, type ErrorFacts } from './errors.js'
export type {
  Backend,
  ChordPart,
  ChordStore,
  Clock,
  Delivery,
  GroupStore,
  Logger,
  LogLevel,
  Publisher,
  PublishTries,
  ResultRequest,
  Timer,
} from './ports.js'
export type { AmqpProperties, AmqpTable, IncomingMessage, OutgoingMessage } from './protocol/amqp.js'
export type { BodyCopy } from './protocol/bodyCopy.js'
export type { ChordMember } from './protocol/chordMember.js'
export type { BodyLimits } from './protocol/content/bodyLimits.js'
export { registerSerializer, type Serializer } from './protocol/content/serializers.js'
export { type ExceptionDict, RemoteError } from './protocol/exception.js'
export type { Kwargs, SignatureDict } from './protocol/message.js'
export {
  decodeResult,
  type ExtendedResult,
  encodeResult,
  type ResultMeta,
  type ResultTuple,
} from './protocol/result.js'
export { DecodeError, EncodeError } from './protocol/resultText.js'
export { Decimal, PlainDate, PlainDateTime, PlainTime, PreciseDate, Uuid } from './protocol/values.js'
export type { Address } from './settings/address.js'
export type { Conf } from './settings/conf.js'
export type { QueueSpec } from './settings/queues.js'
export type {
  PublishRetryWords,
  QueueDefinition,
  RouteFunction,
  RouteMap,
  RouteRule,
  Router,
} from './settings/routing.js'
export type { Settings } from './settings/table.js'
export { Worker, type WorkerEnd, type WorkerEvents } from './worker/embedded.js'
export type { WorkerOptions } from './worker/embeddedOptions.js'
export type { PlainLogger } from './worker/givenLog.js'
