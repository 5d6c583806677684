import { coerceError } from '../errors.js'
import { repr } from '../protocol/repr.js'
import { ChildRun } from './childRun.js'
import type { FromChild, ToChild } from './messages.js'

export interface ServeOptions {
  /** Bytes that the child uses. */
  memory(): number
  /**
   * Sends a message to the worker; does nothing if the worker is gone.
   * @throws DOMException for what can't be copied
   */
  send(message: FromChild): void
  /** Ends the child. */
  leave(): void
}

/**
 * Serves the worker in a child, a process or a thread, from the load of the app to the end.
 * @returns a function that takes each message of the worker
 */
export function serve({ leave, memory, send }: ServeOptions): (message: ToChild) => void {
  let child: ChildRun | null = null
  const load = async ({ source }: ToChild & { type: 'load' }): Promise<void> => {
    child = new ChildRun(source, memory, send)
    send(await child.loaded())
  }
  const end = async (): Promise<void> => {
    await child?.close().catch((thrown) => console.error(`The app wasn't closed: ${coerceError(thrown).message}`))
    leave()
  }
  process.on('unhandledRejection', (thrown) => {
    const message = `Unhandled promise rejection: ${repr(coerceError(thrown))}`
    send({ type: 'log', job: null, level: 'ERROR', message, facts: {} })
  })
  return (message) => {
    switch (message.type) {
      case 'load':
        void load(message)
        break
      case 'run':
        void child?.run(message.job, send)
        break
      case 'end':
        void end()
        break
      default:
        child?.receive(message)
    }
  }
}
