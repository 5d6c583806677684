import { beforeEach, describe, expect, it } from '@jest/globals'
import { Membership } from '../../lib/fleet/membership.js'
import { decodeNews, encodeNews } from '../../lib/fleet/news.js'
import { lanesOf, type News } from '../../lib/fleet/roster.js'
import { deferred } from '../../lib/listeners.js'
import { Random } from '../packit/random.js'
import { FakeClock } from '../support/fakeClock.js'
import { MemoryLog } from '../support/memoryLog.js'

const IDS = ['a', 'f', 'k', 'p', 'u', 'z'] as const

/** A fleet whose members hear each other at once, and the broker that knows which of them are there. */
class Hall {
  readonly clock = new FakeClock()
  readonly said: string[] = []
  readonly there = new Map<string, Membership>()
  /** What is said waits in the broker until this resolves. */
  blocked: Promise<void> | null = null
  /** What members that hear late have not heard yet. */
  private readonly late = new Map<string, News[]>()

  async enter(id: string): Promise<Membership> {
    const membership = new Membership({
      self: { id, slots: 16, since: this.clock.now() },
      lanes: 8,
      clock: this.clock,
      log: new MemoryLog(),
      say: (news: News) => this.say(news),
      isThere: async (id) => this.there.has(id),
      onRoster: () => undefined,
    })
    this.there.set(id, membership)
    membership.up()
    return membership
  }

  async say(said: News): Promise<void> {
    await this.blocked
    this.said.push(said.type)
    const news = decodeNews(encodeNews(said))
    if (!news) return
    for (const [id, member] of [...this.there]) {
      const waiting = this.late.get(id)
      if (waiting) waiting.push(news)
      else member.hear(news)
    }
  }

  /** A crash: nobody hears of it. */
  crash(id: string): void {
    this.there.get(id)?.down()
    this.there.delete(id)
  }

  /** What it is told from now on, it hears once it listens again. */
  stun(id: string): void {
    if (!this.late.has(id)) this.late.set(id, [])
  }

  listen(): void {
    for (const [id, waiting] of this.late) {
      this.late.delete(id)
      for (const news of waiting) this.there.get(id)?.hear(news)
    }
  }

  async pass(seconds: number): Promise<void> {
    for (let tenth = 0; tenth < seconds * 10; tenth++) {
      this.clock.advance(100)
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    }
  }

  get leaders(): Membership[] {
    return [...this.there.values()].filter(({ leads }) => leads)
  }

  get counts(): number[] {
    return [...this.there.values()].map(({ roster }) => lanesOf(roster).length).sort()
  }
}

describe('the members of a fleet', () => {
  let hall: Hall

  beforeEach(() => {
    hall = new Hall()
  })

  it('wait for a moment before the first of them shares the lanes out', async () => {
    await hall.enter('a')
    await hall.enter('b')
    await hall.pass(1)
    expect(hall.counts).toEqual([0, 0])
    await hall.pass(4)
    expect(hall.counts).toEqual([4, 4])
  })

  it('each take all lanes that they can get while the broker takes no messages, and share them out once it does', async () => {
    const { promise, resolve } = deferred<void>()
    hall.blocked = promise
    await hall.enter('a')
    await hall.enter('b')
    await hall.pass(4)
    expect(hall.counts).toEqual([8, 8])
    hall.blocked = null
    resolve()
    await hall.pass(5)
    expect(hall.counts).toEqual([4, 4])
  })

  it('give a new one its share once nobody has come or gone for 2 s', async () => {
    await hall.enter('a')
    await hall.pass(4)
    expect(hall.counts).toEqual([8])
    await hall.enter('b')
    await hall.pass(1)
    expect(hall.counts).toEqual([0, 8])
    await hall.pass(2.5)
    expect(hall.counts).toEqual([4, 4])
  })

  it('share out at once what one leaves behind', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await hall.enter(id)
    await hall.pass(5)
    const leader = hall.there.get('a')
    await leader?.leave()
    hall.there.delete('a')
    await hall.pass(0.1)
    expect(hall.counts.reduce((sum, count) => sum + count)).toBe(8)
  })

  it.each(['a', 'b', 'c'])('find out that %s has crashed, whoever leads, and share its lanes out', async (id) => {
    for (const each of ['a', 'b', 'c']) await hall.enter(each)
    await hall.pass(5)
    hall.crash(id)
    await hall.pass(3)
    expect(hall.counts).toEqual([4, 4])
  })

  it.each(['0', 'ab', 'x'])(
    'share all lanes with %s, which comes just after the leader has crashed and knows nobody',
    async (id) => {
      for (const each of ['a', 'b']) await hall.enter(each)
      await hall.pass(5)
      const [leader] = hall.leaders
      hall.crash(leader?.roster.self.id ?? '')
      await hall.enter(id)
      await hall.pass(20)
      expect(hall.counts).toEqual([4, 4])
      expect(hall.leaders).toHaveLength(1)
    },
  )

  it('are led by one that comes back from a long silence, or by another, but by one', async () => {
    for (const each of ['a', 'b', 'c']) await hall.enter(each)
    await hall.pass(5)
    const leader = hall.leaders[0] as Membership
    const { id } = leader.roster.self
    hall.there.delete(id)
    await hall.enter('d')
    await hall.pass(20)
    hall.there.set(id, leader)
    await hall.pass(30)
    expect(hall.counts).toEqual([2, 2, 2, 2])
    expect(hall.leaders).toHaveLength(1)
  })

  it('come to one leader and even shares, whatever has happened to them', async () => {
    for (let seed = 0; seed < 150; seed++) {
      const random = new Random(seed)
      const pick = <T>(from: readonly T[]): T => from[random.integer(0, from.length)] as T
      const hall = new Hall()
      for (let count = random.integer(1, 4); count > 0; count--) await hall.enter(pick(IDS) + count)
      for (let event = random.integer(1, 12); event > 0; event--) {
        await hall.pass(pick([0, 0.1, 0.5, 1, 3, 12]))
        const ids = [...hall.there.keys()]
        const id = pick(ids)
        const what = pick(['enter', 'crash', 'leave', 'stun', 'listen'] as const)
        if (what === 'enter' && ids.length < 6) await hall.enter(`${pick(IDS)}.${event}`)
        else if (what === 'stun') hall.stun(id)
        else if (what === 'listen') hall.listen()
        else if (ids.length > 1) {
          const member = hall.there.get(id)
          if (what === 'leave') await member?.leave()
          hall.crash(id)
        }
      }
      hall.listen()
      await hall.pass(40)
      const { counts, leaders } = hall
      const even = { leaders: 1, lanes: 8, spread: Math.ceil(8 / counts.length) - Math.floor(8 / counts.length) }
      const found = {
        leaders: leaders.length,
        lanes: counts.reduce((sum, count) => sum + count),
        spread: (counts.at(-1) ?? 0) - (counts[0] ?? 0),
      }
      expect({ seed, ...found }).toEqual({ seed, ...even })
    }
  })

  it('find out that several crashed at once', async () => {
    for (const each of ['a', 'b', 'c', 'd', 'e']) await hall.enter(each)
    await hall.pass(5)
    for (const id of ['a', 'c', 'd']) hall.crash(id)
    await hall.pass(6)
    expect(hall.counts).toEqual([4, 4])
  })

  it('take one back that was thought to be gone', async () => {
    for (const each of ['a', 'b', 'c']) await hall.enter(each)
    await hall.pass(5)
    for (const member of hall.there.values()) member.hear({ type: 'leave', id: 'b' })
    await hall.pass(5)
    expect(hall.counts).toEqual([2, 3, 3])
  })

  it('hold nothing while the number of lanes is changed, whoever comes or goes, and share the new number out then', async () => {
    const leader = await hall.enter('a')
    await hall.enter('b')
    await hall.pass(5)
    await leader.suspend()
    await hall.enter('c')
    hall.crash('b')
    await hall.pass(12)
    expect(hall.counts).toEqual([0, 0])
    await leader.share(6)
    expect(hall.counts).toEqual([3, 3])
    await hall.pass(30)
    expect(hall.counts).toEqual([3, 3])
  })

  it('take their lanes again when the one that changes the number is lost meanwhile', async () => {
    const leader = await hall.enter('a')
    await hall.enter('b')
    await hall.pass(5)
    await leader.suspend()
    hall.crash('a')
    await hall.pass(4)
    expect(hall.counts).toEqual([8])
  })

  it('keep their lanes when one whose connection is lost would go on to change their number', async () => {
    const lost = await hall.enter('a')
    await hall.enter('b')
    await hall.pass(5)
    hall.crash('b')
    await hall.pass(5)
    hall.crash('a')
    await hall.enter('c')
    await hall.pass(5)
    const error = await lost.suspend().catch((thrown) => thrown)
    expect(hall.counts).toEqual([8])
    expect(error).toEqual(new Error('this worker has lost its place in the fleet meanwhile'))
  })

  it('say little while nothing happens', async () => {
    for (const each of ['a', 'b', 'c', 'd', 'e']) await hall.enter(each)
    await hall.pass(5)
    hall.said.length = 0
    await hall.pass(60)
    expect(hall.said).toEqual(new Array(6).fill('table'))
  })

  it.each([2 ** 46, 2 ** 47, 2 ** 47 + 1, 2 ** 47 + 2, 2 ** 48 - 1, 2 ** 48])(
    'go on whatever version somebody says that there is: %p',
    async (version) => {
      for (const each of ['a', 'b']) await hall.enter(each)
      await hall.pass(5)
      await hall.say({ type: 'join', member: { id: 'x', slots: 1, since: 1 }, version })
      await hall.pass(5)
      expect(hall.counts).toEqual([4, 4])
      const table = { leader: 'x', version, members: [], lanes: new Array<null>(8).fill(null) }
      await hall.say({ type: 'table', table })
      await hall.enter('c')
      await hall.pass(8)
      expect(hall.counts).toEqual([2, 3, 3])
      hall.crash('a')
      await hall.pass(5)
      expect(hall.counts).toEqual([4, 4])
    },
  )

  it('hear nothing more of one that has left', async () => {
    const member = await hall.enter('a')
    await hall.pass(3)
    await member.leave()
    hall.said.length = 0
    await hall.pass(30)
    expect(hall.said).toEqual([])
  })
})
