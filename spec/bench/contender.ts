import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LINES_KEPT = 20

/** How to start a worker. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** A worker that runs as a program, with all its processes. */
export class Contender {
  /** Called with each line that it says. */
  onLine: (line: string) => void = () => undefined
  private readonly child: ChildProcess
  private readonly exited: Promise<unknown>
  private readonly lastLines: string[] = []
  private over = false
  private readonly killWithUs = (): void => this.signal('SIGKILL')

  /** Leads a process group of its own, so that a worker and its children are stopped, resumed and killed together. */
  constructor(private readonly launch: Launch) {
    this.child = spawn(launch.command, launch.args, {
      cwd: ROOT,
      env: { ...process.env, ...launch.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    process.once('exit', this.killWithUs)
    this.child.on('error', (error) => this.lastLines.push(error.message))
    this.exited = once(this.child, 'close').finally(() => {
      this.over = true
    })
    // `check` tells of a program that can't be started.
    this.exited.catch(() => undefined)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.hear(line))
    }
  }

  /** Halts all its processes where they are. */
  pause(): void {
    this.signal('SIGSTOP')
  }

  resume(): void {
    this.signal('SIGCONT')
  }

  /** @throws Error with its last lines if it has ended */
  check(): void {
    if (!this.over) return
    const command = [this.launch.command, ...this.launch.args].join(' ')
    throw new Error(`the worker ended by itself: ${command}\n${this.lastLines.join('\n')}`)
  }

  /** Processor time of all its processes so far, in milliseconds. */
  cpuMs(): number {
    return this.processes().reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      // utime and stime, in ticks of 10 ms.
      return sum + (Number(fields[11]) + Number(fields[12])) * 10
    }, 0)
  }

  /**
   * Resident memory of all its processes in MB: all of the first one's, and of the others what is theirs alone, so that what children
   * share with their parent counts once. What nobody but children share is left out.
   */
  memoryMb(): number {
    const [first, ...children] = this.processes().map((pid) => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
    const kibibytes = (text: string, field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN)
    const own = children.map((text) => kibibytes(text, 'Private_Clean') + kibibytes(text, 'Private_Dirty'))
    const all = kibibytes(first ?? '', 'Rss') + own.reduce((sum, size) => sum + size, 0)
    return (all * 1024) / 1e6
  }

  /** Kills what is left of it. */
  async end(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited.catch(() => undefined)
    process.removeListener('exit', this.killWithUs)
  }

  private hear(line: string): void {
    this.lastLines.push(line)
    if (this.lastLines.length > LINES_KEPT) this.lastLines.shift()
    this.onLine(line)
  }

  /** Parents before their children. */
  private processes(): number[] {
    const found = this.child.pid === undefined ? [] : [this.child.pid]
    for (const pid of found) {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      found.push(...children.split(' ').filter(Boolean).map(Number))
    }
    return found
  }

  private signal(signal: NodeJS.Signals): void {
    const { pid } = this.child
    if (pid === undefined || this.over) return
    try {
      process.kill(-pid, signal)
    } catch (thrown) {
      // Its last process ended a moment ago.
      if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
    }
  }
}
