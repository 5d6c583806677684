/** What is used of a package that has no types of its own. */
declare module 'seek-bzip' {
  interface Input {
    readByte(): number
    /** Fills `target` and tells how many bytes it got. */
    read(target: Uint8Array, offset: number, length: number): number
  }
  interface Bunzip {
    /** Reads one bzip2 stream. */
    decode(input: Input, output: { writeByte(byte: number): void }): void
  }
  const bunzip: Bunzip
  export default bunzip
}
