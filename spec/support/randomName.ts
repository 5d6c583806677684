import { randomUUID } from 'node:crypto'

/** A queue's name that no other spec has. */
export function randomQueue(): string {
  return `spec.${randomUUID()}`
}
