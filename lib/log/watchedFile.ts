import { appendFile, close, fstatSync, openSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { coerceError } from '../errors.js'

const append = promisify(appendFile)
const closeFile = promisify(close)

/** Milliseconds between two checks of the path; lines in between may still go to the renamed file. */
const LOOK_EVERY_MS = 1000
const MODE = 0o644

/**
 * A file to append to that is opened again when its path no longer leads to it, so that a log may be renamed or removed
 * under a running worker. Mirrors Python's `WatchedFileHandler`, which Celery logs through. A failed write is lost and
 * reported; the stream continues, since a full disk may have room again.
 */
export class WatchedFile extends Writable {
  private fd: number
  private lookedAt = performance.now()

  /**
   * @param onFault called for each failed write or attempt to open the file again
   * @throws the file system's error if the file can't be opened
   */
  constructor(
    private readonly path: string,
    private readonly onFault: (error: Error) => void,
  ) {
    super({ decodeStrings: true })
    this.fd = openSync(path, 'a', MODE)
  }

  /** Makes the next write check the path first. */
  reopen(): void {
    this.lookedAt = Number.NEGATIVE_INFINITY
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    void this.put(chunk).then(done)
  }

  override _writev(chunks: ReadonlyArray<{ readonly chunk: Buffer }>, done: () => void): void {
    void this.put(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(done)
  }

  override _final(done: () => void): void {
    closeFile(this.fd).catch(this.onFault).then(done)
  }

  private async put(bytes: Buffer): Promise<void> {
    try {
      if (performance.now() - this.lookedAt >= LOOK_EVERY_MS) await this.look()
      await append(this.fd, bytes)
    } catch (thrown) {
      this.onFault(coerceError(thrown))
    }
  }

  /** Checks the path. If it can't be opened, the present file is used until it can. */
  private async look(): Promise<void> {
    this.lookedAt = performance.now()
    try {
      if (await this.isOurs()) return
      const former = this.fd
      this.fd = openSync(this.path, 'a', MODE)
      await closeFile(former)
    } catch (thrown) {
      this.onFault(coerceError(thrown))
    }
  }

  private async isOurs(): Promise<boolean> {
    const ours = fstatSync(this.fd)
    try {
      const { dev, ino } = await stat(this.path)
      return dev === ours.dev && ino === ours.ino
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw thrown
    }
  }
}
