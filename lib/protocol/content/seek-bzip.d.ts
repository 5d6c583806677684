/** The parts in use of a package without types of its own. */
declare module 'seek-bzip' {
  interface Input {
    readByte(): number
    /** Fills `target` and returns the number of bytes. */
    read(target: Uint8Array, offset: number, length: number): number
  }
  /** One bzip2 stream. What begins with `_` is called by the package's own `decode`, which sets no limits. */
  class Bunzip {
    /** Reads the start of the stream. */
    constructor(input: Input, output: { writeByte(byte: number): void })
    /** Number of 32-bit integers that are allocated for each block. */
    readonly dbufSize: number
    readonly reader: { read(bits: number): number }
    /** Checksum of the blocks so far. */
    readonly streamCRC: number
    /** Reads a block; false at the end of the stream. */
    _init_block(): boolean
    /** Writes the block to the output. */
    _read_bunzip(): void
  }
  export default Bunzip
}
