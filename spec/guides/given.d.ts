// What the blocks of code in the guides take for given.
import type { Backend, Logger, Serializer } from 'celeriac'

declare global {
  function openPool(): { count(table: string): Promise<number>; end(): Promise<void> }
  const DynamoBackend: new (url: string, log: Logger) => Backend
  const read: Serializer['read']
  const write: Serializer['write']
}
