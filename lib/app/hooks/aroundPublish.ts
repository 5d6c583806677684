import type { OutgoingMessage } from '../../protocol/amqp.js'
import { dumps } from '../../protocol/content/content.js'
import type { Kwargs } from '../../protocol/message.js'
import type { HookArguments, OutgoingFacts } from './hookArguments.js'
import type { Hooks } from './hooks.js'

/** The three parts of protocol 2's body. */
export type Body = readonly [args: readonly unknown[], kwargs: Kwargs, embed: Readonly<Record<string, unknown>>]

/**
 * Publishes a task message between `beforeTaskPublish`, which may change it, and `afterTaskPublish`.
 * @param body what the message's content was made of
 * @param encode makes the content of the body as the hooks have left it; JSON unless given
 * @throws what `send` throws; TypeError if what the hooks have put in can't be sent
 */
export async function aroundPublish(
  hooks: Hooks,
  message: OutgoingMessage,
  body: Body,
  send: (message: OutgoingMessage) => Promise<void>,
  encode: (body: Body) => Buffer = (body) => dumps(body, 'json').content,
): Promise<void> {
  const { headers = {}, ...properties } = message.properties
  const { exchange, routingKey } = message
  const [args, kwargs, embed] = body
  const facts: OutgoingFacts = {
    name: String(headers.task),
    id: String(headers.id),
    body: [[...args], { ...kwargs }, { ...embed }],
    headers: { ...headers },
    properties: { ...properties },
    exchange,
    routingKey,
  }
  let changed = message
  if (hooks.count('beforeTaskPublish') > 0) {
    await hooks.tell('beforeTaskPublish', () => facts)
    const { headers, properties } = facts
    changed = { ...message, content: encode(facts.body), properties: { ...properties, headers: { ...headers } } }
  }
  await send(changed)
  const { properties: _, ...sent } = facts
  await hooks.tell('afterTaskPublish', (): HookArguments['afterTaskPublish'] => sent)
}
