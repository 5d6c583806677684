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
/** Bytes that may wait for the disk; some thousand lines. */
const MOST_WAITING = 16 * 2 ** 20

type WriteDone = (error: Error | null | undefined) => void

/**
 * A file to append to that is opened again when its path no longer leads to it, so that a log may be renamed or removed
 * under a running worker. Mirrors Python's `WatchedFileHandler`, which Celery logs through. A failed write is lost and
 * reported; the stream continues, since a full disk may have room again. While a disk hangs, lines are dropped once 16 MiB
 * wait for it.
 */
export class WatchedFile extends Writable {
  private fd: number
  private lookedAt = performance.now()
  private dropped = 0

  /**
   * @param onFault called for each failed write or attempt to open the file again
   * @param onDropped called with the number of lines that were dropped, once there is room for others
   * @throws the file system's error if the file can't be opened
   */
  constructor(
    private readonly path: string,
    private readonly onFault: (error: Error) => void,
    private readonly onDropped: (lines: number) => void = () => undefined,
  ) {
    super({ decodeStrings: true })
    this.fd = openSync(path, 'a', MODE)
  }

  /** Makes the next write check the path first. */
  reopen(): void {
    this.lookedAt = Number.NEGATIVE_INFINITY
  }

  override write(chunk: string, encoding: BufferEncoding | WriteDone = 'utf8', done?: WriteDone): boolean {
    const told = typeof encoding === 'function' ? encoding : done
    if (this.writableLength < MOST_WAITING) {
      return super.write(chunk, typeof encoding === 'function' ? 'utf8' : encoding, told)
    }
    this.dropped++
    if (told) process.nextTick(told)
    return false
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    void this.put(chunk).then(() => this.written(done))
  }

  override _writev(chunks: ReadonlyArray<{ readonly chunk: Buffer }>, done: () => void): void {
    void this.put(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(() => this.written(done))
  }

  override _final(done: () => void): void {
    closeFile(this.fd).catch(this.onFault).then(done)
  }

  private written(done: () => void): void {
    done()
    const { dropped } = this
    // Not at the first free byte: a slow disk would have it told with every few lines.
    if (dropped === 0 || this.writableLength > MOST_WAITING / 2) return
    this.dropped = 0
    this.onDropped(dropped)
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
