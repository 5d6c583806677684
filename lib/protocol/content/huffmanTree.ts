/** A canonical Huffman code, of which only the length of each symbol's code is told. */
export class HuffmanTree {
  /** Bits of the longest code. */
  static readonly LONGEST = 20
  private readonly counts = new Uint32Array(HuffmanTree.LONGEST + 1)
  /** By length of their codes, then by number. */
  private readonly symbols: number[] = []

  /** @param lengths of each symbol's code in bits, from 1 to `LONGEST` */
  constructor(lengths: readonly number[]) {
    for (let length = 1; length <= HuffmanTree.LONGEST; length++) {
      lengths.forEach((each, symbol) => {
        if (each === length) this.symbols.push(symbol)
      })
      this.counts[length] = this.symbols.length
    }
    for (let length = HuffmanTree.LONGEST; length > 0; length--)
      this.counts[length] = (this.counts[length] as number) - (this.counts[length - 1] as number)
  }

  /** @throws Error for a code that no symbol has; what `bits` throws at its end */
  read(bits: { read(count: number): number }): number {
    let code = 0
    let first = 0
    let before = 0
    for (let length = 1; length <= HuffmanTree.LONGEST; length++) {
      code = code * 2 + bits.read(1)
      const count = this.counts[length] as number
      if (code - first < count) return this.symbols[before + code - first] as number
      before += count
      first = (first + count) * 2
    }
    throw new Error('a code stands for no symbol')
  }
}
