import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createBackend } from '../../lib/backends/index.js'
import type { Backend } from '../../lib/ports.js'
import { freePort } from '../support/freePort.js'
import { MemoryLog } from '../support/memoryLog.js'
import { redisUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'

const publisher = { publish: async () => undefined }
const sockets = new Set<Socket>()
let servers: Server[] = []
let backend: Backend | null = null

/** A server on loopback, which gives each answer that it is asked for. */
async function listen(answer: (question: string) => string, port = 0): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (data) => socket.write(answer(data.toString())))
  }).listen(port, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Names the Redis of the specs as the master. */
function sentinel(port?: number): Promise<number> {
  const { port: master } = new URL(redisUrl())
  const answerOf = (line: string): string => {
    if (/get-master-addr/i.test(line)) return `*2\r\n$9\r\n127.0.0.1\r\n$${master.length}\r\n${master}\r\n`
    return /\r\nsentinel\r\n\$\d+\r\nsentinels/i.test(line) ? '*0\r\n' : '+OK\r\n'
  }
  // Each command is an array, and several may come at once.
  const answer = (text: string): string =>
    text
      .split(/(?=^\*\d+\r\n)/m)
      .map(answerOf)
      .join('')
  return listen(answer, port)
}

function backendAt(ports: readonly number[]): Backend {
  const url = ports.map((port) => `sentinel://127.0.0.1:${port}/0`).join(';')
  backend = createBackend(
    { result_backend: url, result_expires: 60, redis_socket_connect_timeout: 0.5 },
    { publisher, log: new MemoryLog() },
  )
  return backend
}

describe('RedisBackend, by sentinels', () => {
  afterEach(async () => {
    await backend?.stop()
    for (const socket of sockets) socket.destroy()
    for (const server of servers) server.close()
    servers = []
  })

  it('asks the next sentinel when one does not answer', async () => {
    const frozen = await listen(() => '')
    const backend = backendAt([frozen, await sentinel()])
    await backend.start()
    await waitFor(() => backend.healthy(), { what: 'the connection' })
  })

  it('starts without any, and finds its server when they come', async () => {
    const port = await freePort()
    const backend = backendAt([port])
    await backend.start()
    expect(backend.healthy()).toBe(false)
    await expect(backend.get('early')).rejects.toMatchObject({ retriable: true })
    await sentinel(port)
    await waitFor(() => backend.healthy(), { what: 'the connection' })
    expect(await backend.get('early')).toBeNull()
  })

  it('opens no connection for results any more once it has stopped', async () => {
    const port = await freePort()
    const stopping = backendAt([port])
    await stopping.start()
    const early = stopping.subscribe('early', () => undefined)
    const refused = expect(early).rejects.toMatchObject({ name: 'BackendError' })
    await stopping.stop()
    await refused
    const stopped = backendAt([await sentinel(port)])
    await stopped.start()
    await stopped.stop()
    await expect(stopped.subscribe('late', () => undefined)).rejects.toMatchObject({ name: 'BackendError' })
  })
})
