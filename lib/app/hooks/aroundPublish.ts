import type { OutgoingMessage } from '../../protocol/amqp.js'
import { recode } from '../../protocol/encode.js'
import type { Kwargs } from '../../protocol/message.js'
import type { HookArguments, OutgoingFacts } from './hookArguments.js'
import type { Hooks } from './hooks.js'

/** The three parts of protocol 2's body. */
export type Body = readonly [args: readonly unknown[], kwargs: Kwargs, embed: Readonly<Record<string, unknown>>]

/**
 * Publishes a task message between `beforeTaskPublish`, which may change it, and `afterTaskPublish`.
 * @param body the source of the message's content
 * @throws what `send` throws; TypeError if the hooks have put in something that can't be sent
 */
export async function aroundPublish(
  hooks: Hooks,
  message: OutgoingMessage,
  body: Body,
  send: (message: OutgoingMessage) => Promise<void>,
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
    changed = {
      ...message,
      content: recode(message, facts.body),
      properties: { ...properties, headers: { ...headers } },
    }
  }
  await send(changed)
  const { properties: _, ...sent } = facts
  await hooks.tell('afterTaskPublish', (): HookArguments['afterTaskPublish'] => sent)
}
