import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { PATIENCE_MS } from './waitFor.js'

const live = new Set<Program>()

/** A child process, what it said, and how it ended. */
export class Program {
  stdout = ''
  stderr = ''
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  private ended = false
  private listeners: Array<() => void> = []

  constructor(
    private readonly child: ChildProcess,
    private readonly command: string,
  ) {
    live.add(this)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.heard()
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.heard()
    })
    // A command that can't be started ends too: `close` comes after `error`.
    child.on('error', (error) => {
      this.stderr += `${error.message}\n`
    })
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.ended = true
        live.delete(this)
        this.heard()
        resolve({ code, signal })
      })
    })
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.command} didn't start`)
    return this.child.pid
  }

  get output(): string {
    return this.stdout + this.stderr
  }

  /** Whoever reads what it says goes, as `tee` does at a Ctrl+C. */
  stopReading(...streams: ReadonlyArray<'stdout' | 'stderr'>): void {
    for (const stream of streams) this.child[stream]?.destroy()
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** @throws Error with the output so far if the program ends, or `timeoutMs` pass, without it */
  waitForOutput(pattern: RegExp, timeoutMs = PATIENCE_MS): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void =>
        reject(new Error(`${this.command}: ${pattern} was never said: ${why}\n${this.output}`))
      const timer = setTimeout(() => fail(`${timeoutMs} ms have passed`), timeoutMs)
      const look = (): void => {
        const found = pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
        if (!found && !this.ended) return
        clearTimeout(timer)
        this.listeners = this.listeners.filter((listener) => listener !== look)
        if (found) resolve(found)
        else fail('it ended')
      }
      this.listeners.push(look)
      look()
    })
  }

  private heard(): void {
    for (const listener of [...this.listeners]) listener()
  }
}

/** Starts a program whose output is kept. It is killed by `killAllPrograms` if it is still there. */
export function runProgram(command: string, args: readonly string[], options: SpawnOptions = {}): Program {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  return new Program(child, [command, ...args].join(' '))
}

/** For `afterEach`: no program outlives its spec. */
export async function killAllPrograms(): Promise<void> {
  const programs = [...live]
  for (const program of programs) program.kill('SIGKILL')
  await Promise.all(programs.map((program) => program.exited))
}
