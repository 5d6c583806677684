/*
 * The least that takes a chain from step to step: it acknowledges a message, as tasks do by default, publishes the next step with a
 * confirm, and stores a result.
 *
 *   chainLoop.js URL QUEUE REDIS_URL
 */
import { connect } from 'amqplib'
import { Redis } from 'ioredis'

const [url = '', queue = '', redisUrl = ''] = process.argv.slice(2)
const DAY_S = 86_400
const WINDOW = 100
const redis = new Redis(redisUrl)
const consuming = await (await connect(url, { noDelay: true })).createChannel()
const publishing = await (await connect(url, { noDelay: true })).createConfirmChannel()
await consuming.prefetch(WINDOW)
await consuming.consume(queue, (message) => {
  if (!message) return
  consuming.ack(message)
  const { headers, ...properties } = message.properties
  const [, , { chain: rest, ...embed }] = JSON.parse(message.content.toString())
  const chain = rest ?? []
  const next = chain.pop()
  if (next) {
    const { args, kwargs, options } = next
    const content = Buffer.from(JSON.stringify([args, kwargs, { ...embed, chain }]))
    const following = { ...properties, correlationId: options.task_id, headers: { ...headers, id: options.task_id } }
    publishing.sendToQueue(queue, content, following, (refused) => {
      if (refused) throw refused
    })
  }
  const name = `celery-task-meta-${message.properties.correlationId}`
  const value = JSON.stringify({ status: 'SUCCESS', result: null, traceback: null, children: [], task_id: headers?.id })
  void redis.pipeline().setex(name, DAY_S, value).publish(name, value).exec()
})
