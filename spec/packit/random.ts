import { createHash } from 'node:crypto'

const BYTES_A_DRAW = 6

/** Random numbers that are the same for the same seed, on every machine: SHA-256 of the seed and a counter, cut into pieces. */
export class Random {
  private bytes = Buffer.alloc(0)
  private at = 0
  private blocks = 0

  constructor(private readonly seed: number | string) {}

  /** Uniform in [0, 1). */
  next(): number {
    if (this.at + BYTES_A_DRAW > this.bytes.length) {
      this.bytes = createHash('sha256')
        .update(`${this.seed}:${this.blocks++}`)
        .digest()
      this.at = 0
    }
    const drawn = this.bytes.readUIntBE(this.at, BYTES_A_DRAW)
    this.at += BYTES_A_DRAW
    return drawn / 2 ** (8 * BYTES_A_DRAW)
  }

  /** Draws whatever the chance, so that turning a knob doesn't shift the draws that have nothing to do with it. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  uniform(from: number, to: number): number {
    return from + this.next() * (to - from)
  }

  /** A whole number, `from` included and `below` not. */
  integer(from: number, below: number): number {
    return Math.floor(this.uniform(from, below))
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next())
  }

  /** Log-normal: half the values are below `median`; `sigma` is the deviation of the logarithm. */
  lognormal(median: number, sigma: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
    return median * Math.exp(sigma * normal)
  }

  /** `count` different items in random order; all of them if there are fewer. */
  sample<T>(items: readonly T[], count: number): T[] {
    return items
      .map((item) => ({ item, rank: this.next() }))
      .sort((a, b) => a.rank - b.rank)
      .slice(0, count)
      .map(({ item }) => item)
  }

  /** In the form of a version 4 UUID. */
  uuid(): string {
    const hex = Array.from({ length: 4 }, () =>
      this.integer(0, 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('')
    const variant = '89ab'[this.integer(0, 4)]
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `${variant}${hex.slice(17, 20)}`,
      hex.slice(20),
    ].join('-')
  }
}
