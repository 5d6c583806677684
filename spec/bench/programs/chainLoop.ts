/*
 * The least that takes a chain from step to step without losing one: it publishes the next step, stores the result of this one, and
 * acknowledges its message once the broker has confirmed and Redis has answered.
 *
 *   chainLoop.js URL QUEUE REDIS_URL
 */
import { connect } from 'amqplib'
import { Redis } from 'ioredis'

const [url = '', queue = '', redisUrl = ''] = process.argv.slice(2)
const DAY_S = 86_400
const WINDOW = 100
const redis = new Redis(redisUrl)
const consuming = await (await connect(url)).createChannel()
const publishing = await (await connect(url)).createConfirmChannel()
await consuming.prefetch(WINDOW)
await consuming.consume(queue, (message) => {
  if (!message) return
  const { headers, ...properties } = message.properties
  const [, , { chain: rest, ...embed }] = JSON.parse(message.content.toString())
  const chain = rest ?? []
  const next = chain.pop()
  const published = new Promise<void>((resolve, reject) => {
    if (!next) {
      resolve()
      return
    }
    const { args, kwargs, options } = next
    const content = Buffer.from(JSON.stringify([args, kwargs, { ...embed, chain }]))
    const following = { ...properties, correlationId: options.task_id, headers: { ...headers, id: options.task_id } }
    publishing.sendToQueue(queue, content, following, (refused) => (refused ? reject(refused) : resolve()))
  })
  const name = `celery-task-meta-${message.properties.correlationId}`
  const value = JSON.stringify({ status: 'SUCCESS', result: null, traceback: null, children: [], task_id: headers?.id })
  const stored = redis.pipeline().setex(name, DAY_S, value).publish(name, value).exec()
  void Promise.all([published, stored]).then(() => consuming.ack(message))
})
