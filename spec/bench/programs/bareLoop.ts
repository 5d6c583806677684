/*
 * The least that a consumer in Node.js does: parse the message and acknowledge it. For `bench.stamp` it notes the time, too. With a
 * Redis it stores a result there and tells of it, as Celery does, before it acknowledges.
 *
 *   bareLoop.js URL QUEUE CONSUMERS PREFETCH TRACE [REDIS_URL]
 */
import { openSync, writeSync } from 'node:fs'
import { connect } from 'amqplib'
import { Redis } from 'ioredis'
import { microseconds } from '../microseconds.js'

const [url = '', queue = '', consumers = '1', prefetch = '1', trace = '/dev/null', redisUrl] = process.argv.slice(2)
const DAY_S = 86_400
const file = openSync(trace, 'a')
const redis = redisUrl === undefined ? null : new Redis(redisUrl)
const connection = await connect(url)
const channel = await connection.createChannel()
await channel.prefetch(Number(prefetch), false)
for (let index = 0; index < Number(consumers); index++) {
  await channel.consume(queue, (message) => {
    if (!message) return
    const [[sent], { key }] = JSON.parse(message.content.toString())
    if (message.properties.headers?.task === 'bench.stamp') {
      const began = microseconds()
      writeSync(file, `${key} ${sent} ${began} ${microseconds()}\n`)
    }
    if (redis === null) {
      channel.ack(message)
      return
    }
    const id = message.properties.correlationId
    const name = `celery-task-meta-${id}`
    const result = {
      status: 'SUCCESS',
      result: null,
      traceback: null,
      children: [],
      date_done: new Date(),
      task_id: id,
    }
    const value = JSON.stringify(result)
    redis
      .pipeline()
      .setex(name, DAY_S, value)
      .publish(name, value)
      .exec(() => channel.ack(message))
  })
}
