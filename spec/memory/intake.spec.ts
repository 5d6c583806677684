import { expect, it } from '@jest/globals'
import { MemoryIntake } from '../../lib/memory/intake.js'
import { MemoryServer } from '../../lib/memory/server.js'
import { MemorySession } from '../../lib/memory/session.js'
import { loadSettings } from '../../lib/settings/load.js'
import { queueNamed } from '../../lib/settings/queues.js'
import { intakeOptions } from '../support/intakeOptions.js'
import { MemoryLog } from '../support/memoryLog.js'
import { randomQueue } from '../support/randomName.js'

it('a queue that is refused at first is purged before it is taken from, and not with a later session', async () => {
  const log = new MemoryLog()
  const server = MemoryServer.named(randomQueue())
  const queue = queueNamed(randomQueue(), loadSettings({ config: {}, env: {}, flags: {} }).settings)
  const refused: string[] = []
  const intake = new MemoryIntake(intakeOptions({ purged: [queue.name], log, onRefused: (name) => refused.push(name) }))
  const owner = new MemorySession(server, log)
  owner.declareOn({ ...queue, exclusive: true })
  const session = new MemorySession(server, log)
  const window = await intake.open(session, () => (refused.includes(queue.name) ? [] : [queue]))
  expect(refused).toEqual([queue.name])
  owner.end(new Error('it is over'))
  const message = { exchange: '', routingKey: queue.name, properties: {}, content: Buffer.from('1') }
  server.declare(queue, {})
  server.publish(message)
  await window.add(queue)
  expect(server.queue(queue.name)?.depth).toBe(0)
  server.publish(message)
  session.end(new Error('it is lost'))
  await intake.open(new MemorySession(server, log), () => [queue])
  expect(server.queue(queue.name)?.depth).toBe(1)
})
