import { join } from 'node:path'
import { type Program, runProgram } from './program.js'
import { waitFor } from './waitFor.js'
import { ROOT } from './workerProgram.js'

export interface Notice {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly fields: Readonly<Record<string, string>>
}

/** What a supervising script was told over its notify socket. */
export class Supervisor {
  private constructor(
    readonly socket: string,
    private readonly program: Program,
  ) {}

  static async start(dir: string): Promise<Supervisor> {
    const socket = join(dir, 'notify')
    const program = runProgram('/usr/bin/python3', [join(ROOT, 'spec/cli/supervisor.py'), socket])
    await program.waitForOutput(/^listening$/m)
    return new Supervisor(socket, program)
  }

  get notices(): Notice[] {
    const lines = this.program.stdout.split('\n').slice(1, -1)
    return lines.map((line) => JSON.parse(line) as Notice)
  }

  /** When a field was told, in order. */
  timesOf(field: string): number[] {
    return this.notices.filter(({ fields }) => field in fields).map(({ at }) => at)
  }

  /** Waits for a field whose value matches. */
  heard(field: string, value: RegExp): Promise<void> {
    const isHeard = (): boolean => this.notices.some(({ fields }) => value.test(fields[field] ?? ''))
    return waitFor(isHeard, { what: `${field} to match ${value}` })
  }
}
