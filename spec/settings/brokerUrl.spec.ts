import { describe, expect, it } from '@jest/globals'
import { BrokerUrl, parseBrokerUrl } from '../../lib/settings/brokerUrl.js'

function one(text: string): BrokerUrl {
  const [url, ...rest] = parseBrokerUrl(text)
  if (!url || rest.length > 0) throw new Error(`${text} isn't one URL`)
  return url
}

describe('parseBrokerUrl', () => {
  it.each([
    ['amqp://h', '/'],
    ['amqp://h/', '/'],
    ['amqp://h//', '/'],
    ['amqp://h/%2F', '/'],
    ['amqp://', '/'],
    ['amqp://h/v', 'v'],
    ['amqp://h/a%2Fb', 'a/b'],
    ['amqp://h/v/', 'v/'],
  ])('reads the virtual host of %s as %s', (text, vhost) => {
    expect(one(text).vhost).toBe(vhost)
  })

  it('fills in the defaults', () => {
    expect(one('amqp://')).toEqual(
      new BrokerUrl({
        transport: 'amqp',
        hostname: '127.0.0.1',
        port: 5672,
        username: 'guest',
        password: 'guest',
        vhost: '/',
      }),
    )
  })

  it.each([
    ['amqp://:5673//', '127.0.0.1', 5673],
    ['amqp://joe@//', '127.0.0.1', 5672],
    ['amqp://:secret@h', 'h', 5672],
    ['amqp://LocalHost', '127.0.0.1', 5672],
    ['amqp://Rabbit.Example:1234', 'rabbit.example', 1234],
    ['amqp://my_host', 'my_host', 5672],
    ['amqp://[::1]:5673', '::1', 5673],
  ])('reads the host and port of %s', (text, hostname, port) => {
    expect(one(text)).toMatchObject({ hostname, port })
  })

  it('takes a user without a password for one whose password is guest', () => {
    expect(one('amqp://joe@h')).toMatchObject({ username: 'joe', password: 'guest' })
  })

  it('undoes percent-encoding in user and password, and leaves a lone percent sign', () => {
    expect(one('amqp://j%40e:p%2Fw%3A@h')).toMatchObject({ username: 'j@e', password: 'p/w:' })
    expect(one('amqp://joe:100%@h')).toMatchObject({ password: '100%' })
  })

  it('takes everything up to the last @ for user and password', () => {
    expect(one('amqp://joe:p@ss@h')).toMatchObject({ username: 'joe', password: 'p@ss', hostname: 'h' })
  })

  it.each([
    ['amqp', false, 5672],
    ['pyamqp', false, 5672],
    ['librabbitmq', false, 5672],
    ['amqps', true, 5671],
  ])('knows the transport %s', (transport, tls, port) => {
    expect(one(`${transport}://h`)).toMatchObject({ transport, tls, port })
  })

  it('reads the arguments of the query', () => {
    expect(one('amqp://h//?heartbeat=10&connect_timeout=2.5&login_method=external&insist=1')).toMatchObject({
      heartbeat: 10,
      connectTimeout: 2.5,
      loginMethod: 'EXTERNAL',
      tls: false,
    })
    expect(one('amqp://h//?ssl_ca_certs=/ca.pem&ssl_cert_reqs=none')).toMatchObject({
      ssl: { ca_certs: '/ca.pem', cert_reqs: 'none' },
      tls: true,
    })
  })

  it('reads several brokers in their order', () => {
    expect(parseBrokerUrl('amqp://a; amqp://b/v;').map(String)).toEqual([
      'amqp://guest:**@a:5672//',
      'amqp://guest:**@b:5672/v',
    ])
  })

  it.each([
    ['redis://h', 'expected a RabbitMQ URL'],
    ['h:5672', 'expected a RabbitMQ URL'],
    ['amqp://h:99999', 'expected host and port'],
    [
      'amqp://h//?frame_max=1',
      'the query has "frame_max"; expected heartbeat, connect_timeout, login_method, insist or ssl_...',
    ],
    ['amqp://h//?heartbeat=often', 'the query\'s heartbeat is "often"; expected seconds'],
    ['amqp://h//?login_method=X', 'the query\'s login_method is "X"; expected one of PLAIN, AMQPLAIN, EXTERNAL'],
  ])('refuses %s', (text, message) => {
    expect(() => parseBrokerUrl(text)).toThrow(message)
  })

  it('has no password in its text', () => {
    expect(`${one('pyamqp://j%40e:secret@h:1/a%2Fb')}`).toBe('pyamqp://j%40e:**@h:1/a/b')
    expect(`${one('amqp://[::1]')}`).toBe('amqp://guest:**@[::1]:5672//')
  })
})
