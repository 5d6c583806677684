/*
 * The least that a consumer in Node.js does: parse the message and acknowledge it. For `bench.stamp` it notes the time, too.
 *
 *   bareLoop.js URL QUEUE CONSUMERS PREFETCH TRACE
 */
import { openSync, writeSync } from 'node:fs'
import { connect } from 'amqplib'
import { microseconds } from '../microseconds.js'

const [url = '', queue = '', consumers = '1', prefetch = '1', trace = '/dev/null'] = process.argv.slice(2)
const file = openSync(trace, 'a')
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
    channel.ack(message)
  })
}
