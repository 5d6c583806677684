/*
 * The least that moves messages from one queue to others without losing or overtaking any: publishes each, and acknowledges it once the
 * broker has confirmed that.
 *
 *   relay.js URL QUEUE LANES PREFETCH       to QUEUE.relay.0, QUEUE.relay.1 ... in turn
 */
import { connect } from 'amqplib'

const [url = '', queue = '', lanes = '1', prefetch = '1'] = process.argv.slice(2)
const connection = await connect(url)
const channel = await connection.createConfirmChannel()
const targets = Array.from({ length: Number(lanes) }, (_, lane) => `${queue}.relay.${lane}`)
for (const target of targets) await channel.assertQueue(target, { durable: true })
await channel.prefetch(Number(prefetch))
let count = 0
await channel.consume(
  queue,
  (message) => {
    if (!message) return
    const { content, properties } = message
    channel.publish(
      '',
      targets[count++ % targets.length] ?? '',
      content,
      { ...properties, mandatory: true },
      (refused) => {
        if (!refused) channel.ack(message)
      },
    )
  },
  { exclusive: true },
)
