import { randomUUID } from 'node:crypto'
import { connect } from 'amqplib'

/**
 * Sends `count` pings to one worker, one after another, through a reply queue that is kept, so that what is measured is the worker
 * and not the making of queues.
 * @returns the milliseconds that each took, shortest first
 */
export async function ping(brokerUrl: string, nodename: string, count: number): Promise<number[]> {
  const connection = await connect(brokerUrl)
  const channel = await connection.createChannel()
  const { queue } = await channel.assertQueue('', { exclusive: true })
  await channel.assertExchange('reply.celery.pidbox', 'direct', { durable: false })
  await channel.bindQueue(queue, 'reply.celery.pidbox', queue)
  let answered: (ticket: string) => void = () => undefined
  await channel.consume(queue, (message) => message && answered(String(message.properties.headers?.ticket)), {
    noAck: true,
  })
  const took: number[] = []
  for (let n = 0; n < count; n++) {
    const ticket = randomUUID()
    const since = performance.now()
    const answer = new Promise<void>((resolve) => {
      answered = (got) => got === ticket && resolve()
    })
    const body = {
      method: 'ping',
      arguments: {},
      destination: [nodename],
      ticket,
      reply_to: { exchange: 'reply.celery.pidbox', routing_key: queue },
    }
    channel.publish('celery.pidbox', '', Buffer.from(JSON.stringify(body)), {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: { clock: 1, expires: 0 },
    })
    await answer
    took.push(performance.now() - since)
  }
  await connection.close()
  return took.sort((a, b) => a - b)
}
