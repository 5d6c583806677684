import type { Breakers } from '../app/breakers.js'
import type { Hooks } from '../app/hooks/hooks.js'
import type { Clock, Logger } from '../ports.js'
import type { StopLimit } from '../stopLimit.js'
import type { MakeChild } from './child.js'
import type { AppSource } from './messages.js'

export interface ChildPoolOptions {
  readonly source: AppSource
  readonly size: number
  /** Number of tasks after which a child is replaced; null for no limit. */
  readonly maxTasksPerChild: number | null
  /** Memory, after a task, above which a child is replaced; null for no limit. */
  readonly maxMemoryPerChildKib: number | null
  /** Node name. */
  readonly hostname: string
  readonly clock: Clock
  readonly log: Logger
  /** Breakers of the app. */
  readonly breakers: Breakers
  /** Hooks of the app, as the worker has loaded it; the children have their own. */
  readonly hooks?: Hooks
  /** Milliseconds that a child may take to load the app; without it there is no limit. */
  readonly loadMs?: number
  /** Milliseconds that an idle child may take to close what the app has opened. */
  readonly endMs?: number
  /** Limits how long a task waits for a child once the worker stops: no child may be able to start. */
  readonly stopLimit?: StopLimit
}

export interface ChildKind {
  readonly name: 'threads' | 'prefork'
  /** Celery's names of such a pool and of the list of its children in `inspect stats`. */
  readonly implementation: string
  readonly listed: 'threads' | 'processes'
  readonly make: MakeChild
}
