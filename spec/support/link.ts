import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on loopback that can be made to fail like a network. */
export interface Link {
  readonly port: number
  /** Destroys the connections that go through it. New ones are taken. */
  cut(): void
  /** Resets the near side alone: the far side's connections stay open and silent, as behind a firewall that lost its state. */
  forget(): void
  /** Takes no new connections. Live ones go on. */
  refuse(): void
  accept(): void
  /** Forwards nothing more, and closes nothing: the peer has gone silent. */
  stall(): void
  resume(): void
  /** Forwards nothing more on the connections that there are, and closes none. New ones go on. */
  silence(): void
  close(): Promise<void>
}

/** Sees what goes through a link, and through which of its connections: they are counted from 0. */
export type Tap = (chunk: Buffer, connection: number, from: 'near' | 'far') => void
/** What the near side gets in place of what the far side has sent. */
export type Change = (chunk: Buffer) => Buffer

/** The URL of a server as it is reached through a link. */
export function through(serverUrl: string, port: number): string {
  const url = new URL(serverUrl)
  url.port = String(port)
  return url.href
}

/** Opens a link to a loopback port. */
export async function openLink(
  targetPort: number,
  tap: Tap = () => undefined,
  change: Change = (chunk) => chunk,
): Promise<Link> {
  const sockets = new Set<Socket>()
  const nears = new Set<Socket>()
  const forgotten = new WeakSet<Socket>()
  let refusing = false
  let stalled = false
  let count = 0
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    if (stalled) socket.pause()
  }
  const server = createServer((near) => {
    if (refusing) {
      near.destroy()
      return
    }
    const far = connect(targetPort, '127.0.0.1')
    const connection = count++
    nears.add(near)
    near.on('close', () => nears.delete(near))
    for (const [from, to, side] of [
      [near, far, 'near'],
      [far, near, 'far'],
    ] as const) {
      keep(from)
      from.on('data', (chunk) => {
        tap(chunk, connection, side)
        to.write(side === 'far' ? change(chunk) : chunk)
      })
      from.on('close', () => {
        if (!forgotten.has(from)) to.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const each = (act: (socket: Socket) => void): void => {
    for (const socket of sockets) act(socket)
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => each((socket) => socket.destroy()),
    forget: () => {
      for (const near of nears) {
        forgotten.add(near)
        near.resetAndDestroy()
      }
    },
    refuse: () => {
      refusing = true
    },
    accept: () => {
      refusing = false
    },
    stall: () => {
      stalled = true
      each((socket) => socket.pause())
    },
    resume: () => {
      stalled = false
      each((socket) => socket.resume())
    },
    silence: () => each((socket) => socket.pause()),
    close: async () => {
      const closed = server.listening ? once(server, 'close') : null
      server.close()
      each((socket) => socket.destroy())
      await closed
    },
  }
}
