import type { OutgoingMessage } from '../protocol/amqp.js'
import { type CanvasFields, encodeTask, NO_EMBED } from '../protocol/encode.js'
import type { Kwargs } from '../protocol/message.js'
import { currentRun } from './current.js'
import { aroundPublish } from './hooks/aroundPublish.js'
import type { Loan } from './loan.js'
import { headersWithKey } from './orderKey.js'
import type { SendOptions, SignatureValue } from './outlet.js'
import { traceSend } from './sendSpan.js'

/** A task call to be sent. */
export interface OutgoingCall {
  readonly id: string
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Kwargs
  readonly options: SendOptions
  /** The app's own reply queue. */
  readonly replyTo: string
  /** The name that is looked up in the routes; by default that of the task. */
  readonly routeAs?: string
  /** Fields that belong to a canvas; they take precedence over the options. */
  readonly canvas?: Partial<CanvasFields>
}

/**
 * Publishes the message of a call, and resolves once the broker has confirmed it. A call from inside a task has that
 * task as its parent.
 * @throws BrokerError; TypeError that names the place, if an argument can't be written in the serializer's format
 */
export async function sendCall({ hooks, outlet }: Pick<Loan, 'hooks' | 'outlet'>, call: OutgoingCall): Promise<void> {
  const { args, id, kwargs, options, task } = call
  const route = outlet.route(call.routeAs ?? task, options, args, kwargs)
  const parent = currentRun.getStore()
  const eta = options.eta ?? (options.countdown === undefined ? null : new Date(Date.now() + options.countdown * 1000))
  const canvas = call.canvas ? { ...fieldsOf(options), ...call.canvas } : fieldsOf(options)
  const message = encodeTask({
    id,
    task,
    args,
    kwargs,
    route,
    eta,
    expires:
      typeof options.expires === 'number' ? new Date(Date.now() + options.expires * 1000) : (options.expires ?? null),
    rootId: options.rootId ?? parent?.rootId ?? id,
    parentId: options.parentId ?? parent?.id ?? null,
    replyTo: options.replyTo ?? call.replyTo,
    headers: headersWithKey(options.headers ?? {}, options.orderKey),
    ignoreResult: options.ignoreResult ?? false,
    canvas,
  })
  const tries = outlet.tries?.(options)
  const preparing = outlet.prepare(route, tries)
  if (preparing) await preparing
  const delayMs = eta === null ? 0 : eta.getTime() - Date.now()
  const send = (message: OutgoingMessage): Promise<void> =>
    traceSend(message, (message) => outlet.send(message, route, delayMs, tries))
  if (hooks.any) await aroundPublish(hooks, message, [args, kwargs, { ...canvas.embed }], send)
  else await send(message)
}

function fieldsOf({ link, linkError, shadow, softTimeLimit, stamps = {}, timeLimit }: SendOptions): CanvasPart {
  const names = Object.keys(stamps)
  const embed =
    link === undefined && linkError === undefined
      ? NO_EMBED
      : { ...NO_EMBED, callbacks: dictsOf(link), errbacks: dictsOf(linkError) }
  return {
    embed,
    shadow: shadow ?? null,
    timelimit: [timeLimit ?? null, softTimeLimit ?? null],
    stamps,
    stampedHeaders: names.length > 0 ? names : null,
  }
}

type CanvasPart = Pick<CanvasFields, 'embed' | 'shadow' | 'timelimit' | 'stamps' | 'stampedHeaders'>

function dictsOf(links: SignatureValue | readonly SignatureValue[] | undefined): CanvasFields['embed']['callbacks'] {
  if (links === undefined) return null
  const list = Array.isArray(links) ? (links as readonly SignatureValue[]) : [links as SignatureValue]
  return list.map((sig) => ({ ...sig.toJSON() }))
}
