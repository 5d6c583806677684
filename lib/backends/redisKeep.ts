import type { ChainableCommander, Redis } from 'ioredis'
import type { Logger } from '../ports.js'

/** What the parts of the redis backend share. */
export interface RedisParts {
  readonly client: Redis
  readonly log: Logger
  /** The part of `celery-taskset-meta-<id>` before the id. */
  readonly groupKey: string
  /** Whole seconds; 0 for forever. */
  readonly expires: number
  /** Runs a command, and converts its error to the backend's. */
  attempt<T>(command: () => Promise<T>): Promise<T>
}

/** Writes a value and publishes it, in one step. Mirrors `RedisBackend.set`. */
export async function keep({ client, expires }: RedisParts, key: string, value: string): Promise<void> {
  const steps = client.multi()
  if (expires > 0) steps.setex(key, expires, value)
  else steps.set(key, value)
  await answersOf(steps.publish(key, value))
}

/** The answers to a transaction's commands. @throws the client's error for the first that failed */
export async function answersOf(steps: ChainableCommander): Promise<readonly unknown[]> {
  const answers = (await steps.exec().catch(causeOf)) ?? []
  return answers.map(([error, answer]) => {
    if (error) throw error
    return answer
  })
}

/** The error of an aborted transaction doesn't give the reason: the refusal of one of its commands does. */
function causeOf(thrown: { readonly previousErrors?: readonly Error[] }): never {
  throw thrown.previousErrors?.[0] ?? thrown
}
