/** The parts in use of a package without types of its own. */
declare module 'seek-bzip' {
  interface Input {
    readByte(): number
    /** Fills `target` and returns the number of bytes. */
    read(target: Uint8Array, offset: number, length: number): number
  }
  interface Bunzip {
    /** Decodes one bzip2 stream. */
    decode(input: Input, output: { writeByte(byte: number): void }): void
  }
  const bunzip: Bunzip
  export default bunzip
}
