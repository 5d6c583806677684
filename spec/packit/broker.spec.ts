import { expect, it } from '@jest/globals'
import { amqpUrl } from './broker.js'

it.each([
  ['amqp://guest:guest@127.0.0.1:5672//', 'amqp://guest:guest@127.0.0.1:5672/%2F'],
  ['amqp://localhost', 'amqp://guest:guest@localhost/%2F'],
  ['amqp://guest@localhost/', 'amqp://guest:guest@localhost/%2F'],
  ['amqps://packit:p%40ss@mq.example.org/ci', 'amqps://packit:p%40ss@mq.example.org/ci'],
  ['amqp://packit:x@mq/%2Fci', 'amqp://packit:x@mq/%2Fci'],
])('amqpUrl(%j)', (celery, amqp) => {
  expect(amqpUrl(celery)).toBe(amqp)
})
