import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { Gossiper } from '../support/gossiper.js'
import { ownBroker } from '../support/ownBroker.js'
import { PYTHON } from '../support/peers.js'
import { killAllPrograms, type Program, runProgram } from '../support/program.js'
import { waitFor } from '../support/waitFor.js'

const brokerUrl = ownBroker()

const HERE = fileURLToPath(new URL('.', import.meta.url))
const run = promisify(execFile)

describe("beside a worker of Python's", () => {
  let client: Client
  let queue: string
  let nodes: Gossiper[]

  beforeEach(async () => {
    client = await Client.open(brokerUrl())
    queue = await client.queue()
    nodes = []
  })

  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    await killAllPrograms()
    await client.close()
  })

  async function ours(
    name: string,
    options: { prepare?: (node: Gossiper) => void; mayVanish?: boolean } = {},
  ): Promise<Gossiper> {
    const node = await Gossiper.start(name, brokerUrl(), { pid: 100_000 + nodes.length, ...options })
    nodes.push(node)
    return node
  }

  /** Starts it; ready when it has mingled and joined in the gossip. */
  async function python(name = 'python@spec'): Promise<Program> {
    const args = [
      '-m',
      'celery',
      '-A',
      'neighbour',
      '-b',
      brokerUrl(),
      'worker',
      '-n',
      name,
      '-Q',
      queue,
      '-c',
      '1',
      '-l',
      'DEBUG',
    ]
    const worker = runProgram(PYTHON, args, { cwd: HERE, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } })
    await worker.waitForOutput(/ ready\.$/m)
    return worker
  }

  const celery = async (...args: string[]): Promise<string> =>
    (await run(PYTHON, ['-m', 'celery', '-b', brokerUrl(), ...args], { cwd: HERE })).stdout

  async function revokedAt(nodename: string): Promise<string[]> {
    const reply = JSON.parse(await celery('inspect', 'revoked', '-d', nodename, '-t', '5', '--json'))
    return (reply as Record<string, string[]>)[nodename] ?? []
  }

  const says = (node: Gossiper, text: string): Promise<void> =>
    waitFor(() => node.log.lines.some(({ message }) => message === text), {
      what: `${node.nodename} to say "${text}"`,
    })

  it('a node that is alone waits for nobody', async () => {
    const node = await ours('a@spec')
    expect(node.log.of('INFO')).toContain('mingle: all alone')
    expect(node.waited).toEqual([])
  })

  it('revoked ids go to whoever starts later, in both directions', async () => {
    const first = await ours('a@spec', {
      prepare: ({ revoked }) => {
        revoked.add('old', Date.now() - 60_000.25)
        revoked.add('whole', Date.now() - 1000)
      },
    })
    const worker = await python()
    expect(worker.output).toMatch(/mingle: sync with 1 nodes/)
    expect(worker.output).toMatch(/mingle: sync complete/)
    expect(worker.output).not.toMatch(/mingle: sync with \S+ failed/)
    expect(first.log.of('INFO')).toContain('sync with python@spec')
    expect(await revokedAt('python@spec')).toEqual(['old', 'whole'])

    await celery('control', '-d', 'python@spec', 'revoke', 'by-python')
    const second = await ours('b@spec')
    expect(second.log.of('INFO')).toContain('mingle: sync with 2 nodes')
    expect(second.log.of('WARNING')).toEqual([])
    expect([...second.revoked.ids].sort()).toEqual(['by-python', 'old', 'whole'])
    expect(second.waited).toEqual([1000])
    // What the greeting told is known to Python and not only to the node that asked.
    await ours('c@spec', {
      prepare: ({ lamport, revoked }) => {
        revoked.add('brought along')
        // From here on clocks take two bytes, which must not be written as Python can't read them.
        lamport.adjust(1000)
      },
    })
    expect(await revokedAt('python@spec')).toContain('brought along')
    expect(first.revoked.has('brought along')).toBe(true)
  })

  it('each notices that another has come, has left, or is gone without a word', async () => {
    const [a, b] = [await ours('a@spec'), await ours('b@spec', { mayVanish: true })]
    const [c, d] = [await ours('c@spec'), await ours('d@spec')]
    const worker = await python()
    for (const { nodename } of [a, b, c, d]) await worker.waitForOutput(new RegExp(`${nodename} joined the party`))
    for (const node of [a, c]) await says(node, 'python@spec joined the party')
    const members = (node: Gossiper): string[] => node.members.alive.map(({ hostname }) => hostname).sort()
    expect(members(a)).toEqual(['b@spec', 'c@spec', 'd@spec', 'python@spec'])

    await d.stop()
    await Promise.all([says(a, 'd@spec left'), says(c, 'd@spec left'), worker.waitForOutput(/d@spec left/)])
    expect(members(a)).toEqual(['b@spec', 'c@spec', 'python@spec'])

    b.vanish()
    await Promise.all([
      says(a, 'missed heartbeat from b@spec'),
      says(c, 'missed heartbeat from b@spec'),
      worker.waitForOutput(/missed heartbeat from b@spec/),
    ])
    expect(members(a)).toEqual(['c@spec', 'python@spec'])

    worker.kill('SIGKILL')
    await Promise.all([says(a, 'missed heartbeat from python@spec'), says(c, 'missed heartbeat from python@spec')])
    expect(members(a)).toEqual(['c@spec'])
    expect(a.log.of('INFO')).not.toContain('missed heartbeat from d@spec')
  })

  it('an election has one winner, does its task once, and leaves everybody alive', async () => {
    const worker = await python()
    const [a, b] = [await ours('a@spec'), await ours('b@spec')]
    for (const { nodename } of [a, b]) await worker.waitForOutput(new RegExp(`${nodename} joined the party`))
    for (const node of [a, b]) await says(node, 'python@spec joined the party')
    const ids = Array.from({ length: 20 }, (_, n) => `e${String(n).padStart(2, '0')}`)
    await run(PYTHON, [join(HERE, 'neighbour.py'), brokerUrl(), queue, String(ids.length)])
    const wonBy = (node: Gossiper): string[] =>
      ids.filter((id) => node.log.of('INFO').includes(`I won the election '${id}'`))
    const wonByUs = (): string[] => [...wonBy(a), ...wonBy(b)]
    const wonByPython = (): string[] => ids.filter((id) => worker.output.includes(`I won the election '${id}'`))
    await waitFor(() => wonByUs().length + wonByPython().length >= ids.length, {
      what: 'a winner of each election',
    })
    expect([...wonByUs(), ...wonByPython()].sort()).toEqual(ids)
    for (const node of [a, b]) {
      expect(node.applied).toMatchObject(wonBy(node).map((id) => ({ task: 'neighbour.noted', args: [id] })))
    }
    for (const id of wonByPython()) await worker.waitForOutput(new RegExp(`noted ${id}`))
    expect(await celery('inspect', 'ping', '-t', '5')).toContain('3 nodes online')
  })
})
