import type { Breakers } from '../app/breakers.js'
import type { Hooks } from '../app/hooks/hooks.js'
import type { Clock, Logger } from '../ports.js'
import type { StopLimit } from '../stopLimit.js'
import type { MakeChild } from './child.js'
import type { AppSource } from './messages.js'

export interface ChildPoolOptions {
  readonly source: AppSource
  readonly size: number
  /** A child that has run so many tasks is replaced; null for no end. */
  readonly maxTasksPerChild: number | null
  /** A child that takes up more after a task is replaced; null for no end. */
  readonly maxMemoryPerChildKib: number | null
  /** Node name. */
  readonly hostname: string
  readonly clock: Clock
  readonly log: Logger
  /** Of the app. */
  readonly breakers: Breakers
  /** Of the app, as the worker has loaded it; the children have their own. */
  readonly hooks?: Hooks
  /** Milliseconds that a child which has nothing to do may take to close what the app has opened. */
  readonly endMs?: number
  /** Bounds how long a task waits for a child once the worker stops: there may be none that starts. */
  readonly stopLimit?: StopLimit
}

export interface ChildKind {
  readonly name: 'threads' | 'prefork'
  /** Celery's name of such a pool, and of the list of its children, in `inspect stats`. */
  readonly implementation: string
  readonly listed: 'threads' | 'processes'
  readonly make: MakeChild
}
