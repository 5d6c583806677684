import type { Client } from './client.js'

/** Runs a command's work with what it needs, and keeps the exit code that it gives. */
export type Perform = (work: (client: Client) => Promise<number>) => Promise<void>
