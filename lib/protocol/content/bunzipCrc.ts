const POLYNOMIAL = 0x04c11db7

/** What a byte makes of an empty register. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ POLYNOMIAL : value << 1
  return value
})

/** bzip2's checksum: CRC-32, the highest bit first, unlike zlib's. */
export class Crc {
  private register = -1

  /** Unsigned, of 32 bits. */
  get value(): number {
    return ~this.register >>> 0
  }

  add(byte: number, times: number): void {
    for (let time = 0; time < times; time++)
      this.register = (this.register << 8) ^ (TABLE[(this.register >>> 24) ^ byte] as number)
  }
}
