const SHOWN = 60

/**
 * Things by name, of which the package brings some and programs may add others, each name once. Registers belong to the process, as
 * kombu's do: what a program adds when it is loaded is there in each child that loads the same program.
 */
export class Register<T> {
  private readonly found = new Map<string, T>()

  /**
   * @param call the function that programs call, for messages: `registerBackend`
   * @param what what it holds, for messages: `a result backend`
   * @param own names that the package brings itself, by `bring`, perhaps only when they are first used
   */
  constructor(
    private readonly call: string,
    private readonly what: string,
    private readonly own: readonly string[] = [],
  ) {}

  /** @throws TypeError for a name that is taken */
  add(name: string, value: T): void {
    if (this.found.has(name) || this.own.includes(name))
      throw this.fault(`there is ${this.what} of the name ${JSON.stringify(name)} already`)
    this.found.set(name, value)
  }

  /** Adds what the package has under one of its own names. */
  bring(name: string, value: T): void {
    this.found.set(name, value)
  }

  get(name: string): T | undefined {
    return this.found.get(name)
  }

  /** The package's own first. */
  get names(): readonly string[] {
    return [...new Set([...this.own, ...this.found.keys()])]
  }

  /** A wrong call. */
  fault(text: string): TypeError {
    return new TypeError(`${this.call}: ${text}`)
  }

  /** @throws TypeError for what is no scheme of URLs */
  checkScheme(scheme: unknown): void {
    if (typeof scheme === 'string' && /^[a-z][a-z0-9+.-]*$/.test(scheme)) return
    const shown = typeof scheme === 'string' ? JSON.stringify(scheme).slice(0, SHOWN) : typeof scheme
    throw this.fault(`the scheme is ${shown}: expected the part of a URL before ://, in lower case, such as "dynamodb"`)
  }

  /** @throws TypeError for what is no function */
  checkFactory(name: string, factory: unknown): void {
    if (typeof factory !== 'function') {
      throw this.fault(
        `the factory of ${JSON.stringify(name)} is ${typeof factory}: expected a function of the options`,
      )
    }
  }
}

/** The names of `methods` that a value lacks, for messages about what a factory has made: `store(), get()`; empty if none. */
export function missingMethods(value: unknown, methods: readonly string[]): string {
  const parts = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  return methods
    .filter((name) => typeof parts[name] !== 'function')
    .map((name) => `${name}()`)
    .join(', ')
}
