import { systemClock } from '../../clock.js'
import { coerceError } from '../../errors.js'
import { onlyWarnings } from '../../log/onlyWarnings.js'
import type { Clock, Logger } from '../../ports.js'
import { repr } from '../../protocol/repr.js'
import type { Hook, HookArguments, HookName } from './hookArguments.js'
import { checkHookName } from './hookNames.js'
import { LateError, within } from './within.js'

/** How hooks are called in this process. */
export interface HookTerms {
  /** Milliseconds to wait for one hook. */
  readonly timeoutMs: number
  readonly log: Logger
  readonly clock?: Clock
}

const NO_WORKER: HookTerms = {
  timeoutMs: 10_000,
  log: onlyWarnings((message) => process.emitWarning(message, 'CeleriacWarning')),
}

/** The hooks of an app, by name. A hook can't stop its caller: errors are logged, and waits are bounded. */
export class Hooks {
  private readonly underWay = new Set<Promise<void>>()

  private constructor(
    private readonly byName: Map<HookName, readonly Hook<never>[]>,
    private terms: HookTerms,
  ) {}

  /** An empty set of hooks, for an app. */
  static none(): Hooks {
    return new Hooks(new Map(), NO_WORKER)
  }

  /** The same hooks, including later ones, as a worker calls them: each worker of an app on its own terms. */
  by(terms: HookTerms): Hooks {
    return new Hooks(this.byName, terms)
  }

  /** Whether there is any hook at all: the only cost for a task without hooks. */
  get any(): boolean {
    return this.byName.size > 0
  }

  /**
   * @returns a function that removes the hook
   * @throws TypeError for an unknown hook name, and for a hook that is not a function
   */
  add<Name extends HookName>(name: Name, hook: Hook<Name>): () => void {
    checkHookName(name)
    if (typeof hook !== 'function') {
      throw new TypeError(`app.on('${name}', ${repr(hook, 80)}): the hook must be a function`)
    }
    const entry: Hook<never> = (facts: HookArguments[Name]) => hook(facts)
    Object.defineProperty(entry, 'name', { value: hook.name })
    this.byName.set(name, [...this.of(name), entry])
    return () => {
      const others = this.of(name).filter((each) => each !== entry)
      if (others.length > 0) this.byName.set(name, others)
      else this.byName.delete(name)
    }
  }

  /** The number of hooks with this name. */
  count(name: HookName): number {
    return this.of(name).length
  }

  /** The number of hooks under the name that has the most. */
  get longest(): number {
    return Math.max(0, ...[...this.byName.values()].map((hooks) => hooks.length))
  }

  /** Milliseconds to wait for a hook in this process. */
  get timeoutMs(): number {
    return this.terms.timeoutMs
  }

  /** Sets how hooks are called from now on outside a worker, and in a worker's child. */
  configure(terms: HookTerms): void {
    this.terms = terms
  }

  /**
   * Calls the hooks of a name one after another, in the order in which they were added, and waits for each, up to the
   * time limit. Never throws.
   * @param facts called only if there is a hook
   */
  async tell<Name extends HookName>(name: Name, facts: () => HookArguments[Name]): Promise<void> {
    const hooks = this.of(name)
    if (hooks.length === 0) return
    let given: HookArguments[Name]
    try {
      given = facts()
    } catch (thrown) {
      this.terms.log.error(`Hooks of ${name} were not called: ${repr(coerceError(thrown))}`)
      return
    }
    for (const hook of hooks) await this.call(name, hook as Hook<Name>, given)
  }

  /** Calls the hooks of a name without waiting for them; `settled` waits for those calls. */
  note<Name extends HookName>(name: Name, facts: () => HookArguments[Name]): void {
    if (!this.any || this.of(name).length === 0) return
    const told = this.tell(name, facts).finally(() => this.underWay.delete(told))
    this.underWay.add(told)
  }

  /** Resolves once all hooks called by `note` have ended, or their time limits have passed. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay)
  }

  private of(name: HookName): readonly Hook<never>[] {
    return this.byName.get(name) ?? []
  }

  private async call<Name extends HookName>(name: Name, hook: Hook<Name>, facts: HookArguments[Name]): Promise<void> {
    const { clock = systemClock, log, timeoutMs } = this.terms
    const label = `Hook ${hook.name || 'anonymous'} of ${name}`
    try {
      const wait = hook(facts)
      if (isThenable(wait)) await within(wait, timeoutMs, clock)
    } catch (thrown) {
      if (thrown instanceof LateError) {
        log.error(`${label} was ${thrown.message} (worker_hook_timeout); continuing without it`)
        return
      }
      const error = coerceError(thrown)
      log.error(`${label} raised: ${repr(error)}`, { error })
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
