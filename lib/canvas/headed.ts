import type { CanvasMessage } from './canvasMessage.js'
import type { CanvasOutlet } from './outlet.js'

/**
 * An outlet that sends all messages with further headers. As options of a signature these would replace those of its
 * parts.
 */
export function headed(outlet: CanvasOutlet, headers: CanvasMessage['headers']): CanvasOutlet {
  const send = (message: CanvasMessage): Promise<void> =>
    outlet.send({ ...message, headers: { ...message.headers, ...headers } })
  return Object.assign(Object.create(outlet) as CanvasOutlet, { send })
}
