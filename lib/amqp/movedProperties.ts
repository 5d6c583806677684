import type { ConsumeMessage, Options } from 'amqplib'
import type { AmqpProperties } from '../protocol/amqp.js'
import { headersToMove } from '../protocol/delay.js'
import { headersForAll } from './headers.js'

/** The message's properties, except those of its transport. Named one by one: a user_id that isn't ours would be refused. */
export function movedProperties({ properties }: ConsumeMessage): Options.Publish {
  const { contentEncoding, contentType, correlationId, deliveryMode, expiration, headers } =
    properties as AmqpProperties
  const { appId, messageId, priority, replyTo, timestamp, type } = properties as AmqpProperties
  const resent = headersForAll(headersToMove(headers ?? {}))
  const known = { contentType, contentEncoding, correlationId, deliveryMode, expiration, priority, replyTo }
  return { ...known, messageId, timestamp, type, appId, headers: resent, mandatory: true } as Options.Publish
}
