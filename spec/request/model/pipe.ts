/** One direction of a connection: what was written and isn't read yet. A frame is what its reader does when he reads it. */
export class Pipe {
  /** A slow pipe keeps its frames until somebody says how many are read. */
  slow = false
  private frames: Array<() => void> = []

  get size(): number {
    return this.frames.length
  }

  write(frame: () => void): void {
    this.frames.push(frame)
  }

  /** Reads so many of the frames that are there, at most. @returns how many */
  pass(count = this.frames.length): number {
    const frames = this.frames.splice(0, count)
    for (const frame of frames) frame()
    return frames.length
  }
}
