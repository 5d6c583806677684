import type { Client } from './client.js'
import type { Io } from './io.js'

/** Runs a command's work with what it needs, and records the returned exit code. */
export type Perform = (work: (client: Client) => Promise<number>) => Promise<void>

/** Runs a command that needs no settings, so that wrong settings don't prevent it. */
export type PerformAlone = (work: (io: Io) => Promise<number>) => Promise<void>
