import type { RequestInfo } from '../app/context.js'
import type { TaskMessage } from '../protocol/message.js'
import type { Request } from '../request/request.js'
import { requestInfo } from './trace.js'

/** A message that has come to its end, for what follows from that. */
export interface Ended {
  readonly message: TaskMessage
  /** What was sent for it; gets what is sent from now on. */
  readonly children: Request['children']
  /** Whether the message may have come to its end before. */
  readonly isRepeated: boolean
  /** For callbacks that are called in place. */
  info(): RequestInfo
}

export function endedOf(request: Request, hostname: string): Ended {
  const { children, delivery, message } = request
  return { message, children, isRepeated: delivery.redelivered, info: () => requestInfo(request, hostname) }
}

/** Whether anything follows from a message's end but its own result. */
export function hasCanvas({ embed }: TaskMessage): boolean {
  return embed.callbacks !== null || embed.errbacks !== null || embed.chain !== null || embed.chord !== null
}
