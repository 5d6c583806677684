import type { RequestInfo } from '../app/context.js'
import type { TaskMessage } from '../protocol/message.js'
import type { Request } from '../request/request.js'
import { requestInfo } from './trace.js'

/** A message that has ended, as input for what follows from that. */
export interface Ended {
  readonly message: TaskMessage
  /** Ids of the tasks that were sent for it; receives those of tasks that are sent from now on. */
  readonly children: Request['children']
  /** True if the message may have ended before. */
  readonly isRepeated: boolean
  /** Needed by callbacks that are called in place. */
  info(): RequestInfo
}

export function endedOf(request: Request, hostname: string): Ended {
  const { children, delivery, message } = request
  return { message, children, isRepeated: delivery.redelivered, info: () => requestInfo(request, hostname) }
}

/** Returns whether anything but the message's own result follows from its end. */
export function hasCanvas({ embed }: TaskMessage): boolean {
  return embed.callbacks !== null || embed.errbacks !== null || embed.chain !== null || embed.chord !== null
}
