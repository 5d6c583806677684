import type { Client } from './client.js'
import type { Io } from './io.js'

/** Runs a command's work with what it needs, and keeps the exit code that it gives. */
export type Perform = (work: (client: Client) => Promise<number>) => Promise<void>

/** Runs the work of a command that needs no settings, so that wrong ones don't keep it from its work. */
export type PerformAlone = (work: (io: Io) => Promise<number>) => Promise<void>
