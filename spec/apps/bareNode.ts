/*
 *   bareNode.js BROKER_URL NODENAME watch COUNT | burn
 *
 * The least that answers a ping: amqplib alone, beside the same loops as a worker's tasks. What a worker is compared with.
 */
import { connect } from 'amqplib'
import { burn, watch } from './lateLoops.js'

const [url = '', nodename = '', mode, count = '1'] = process.argv.slice(2)
const connection = await connect(url)
const channel = await connection.createChannel()
const { queue } = await channel.assertQueue('', { exclusive: true })
await channel.assertExchange('celery.pidbox', 'fanout', { durable: false })
await channel.bindQueue(queue, 'celery.pidbox', '')
await channel.consume(
  queue,
  (message) => {
    if (!message) return
    const { destination, reply_to, ticket } = JSON.parse(message.content.toString())
    if (!destination?.includes(nodename)) return
    const content = Buffer.from(JSON.stringify({ [nodename]: { ok: 'pong' } }))
    channel.publish(reply_to.exchange, reply_to.routing_key, content, {
      contentType: 'application/json',
      headers: { ticket },
    })
  },
  { noAck: true },
)
if (mode === 'burn') void burn()
else for (let n = 0; n < Number(count); n++) void watch(n)
console.log(`${nodename} ready.`)
