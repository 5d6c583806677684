import { CeleriacError } from '../errors.js'
import type { Logger } from '../ports.js'
import type { Gate } from '../request/gate.js'
import type { Request } from '../request/request.js'
import type { Revoked } from '../request/revoked.js'
import type { Revocations } from '../trace/revocations.js'

export interface RevokingOptions {
  readonly gate: Gate
  readonly revoked: Revoked
  readonly revocations: Revocations
  readonly log: Logger
}

/** Keeps tasks from running, and stops running ones. Mirrors Celery's `revoke`. */
export class Revoking {
  constructor(private readonly options: RevokingOptions) {}

  /** @returns the ids of the running tasks that were told to stop; always empty without a signal */
  byId(ids: readonly string[], signum: number | null): string[] {
    const { gate, revocations, revoked } = this.options
    for (const id of ids) revoked.add(id)
    const wanted = new Set(ids)
    const running = gate.discardRevoked((request) => wanted.has(request.id))
    const stopped = signum === null ? [] : running.map((request) => this.terminate(request, signum))
    // Running tasks store their own end.
    for (const id of stopped) wanted.delete(id)
    revocations.add([...wanted])
    return stopped
  }

  byStamps(stamps: Readonly<Record<string, readonly string[]>>, signum: number | null): void {
    const { gate, revoked } = this.options
    for (const [header, values] of Object.entries(stamps)) {
      for (const value of values) revoked.addStamp(header, value)
    }
    const running = gate.discardRevoked((request) => revoked.hasStampOf(request.message.headers))
    if (signum !== null) for (const request of running) this.terminate(request, signum)
  }

  private terminate(request: Request, signum: number): string {
    this.options.log.info(`Terminating ${request.id} (${signum})`)
    request.terminatedBy = signum
    request.abort(new CeleriacError('CELERIAC_TERMINATED', 'the task was revoked'))
    return request.id
  }
}
