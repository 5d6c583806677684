const SHOWN = 60

/**
 * A register of things by name, each name once: some are part of the package, programs may add others. Registers belong
 * to the process, as in kombu: what a program adds when it is loaded exists in each child that loads the same program.
 */
export class Register<T> {
  private readonly found = new Map<string, T>()

  /**
   * @param call name of the function that programs call, for messages: `registerBackend`
   * @param what kind of thing it holds, for messages: `a result backend`
   * @param own names of the package itself, added by `bring`, perhaps only when they are first used
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

  /** Adds the package's own entry for one of its names. */
  bring(name: string, value: T): void {
    this.found.set(name, value)
  }

  get(name: string): T | undefined {
    return this.found.get(name)
  }

  /** Names, the package's own first. */
  get names(): readonly string[] {
    return [...new Set([...this.own, ...this.found.keys()])]
  }

  /** Makes the error for a wrong call. */
  fault(text: string): TypeError {
    return new TypeError(`${this.call}: ${text}`)
  }

  /** @throws TypeError if it is not a URL scheme */
  checkScheme(scheme: unknown): void {
    if (typeof scheme === 'string' && /^[a-z][a-z0-9+.-]*$/.test(scheme)) return
    const shown = typeof scheme === 'string' ? JSON.stringify(scheme).slice(0, SHOWN) : typeof scheme
    throw this.fault(`the scheme is ${shown}: expected the part of a URL before ://, in lower case, such as "dynamodb"`)
  }

  /** @throws TypeError if it is not a function */
  checkFactory(name: string, factory: unknown): void {
    if (typeof factory !== 'function') {
      throw this.fault(
        `the factory of ${JSON.stringify(name)} is ${typeof factory}: expected a function of the options`,
      )
    }
  }
}

/**
 * Returns the names of `methods` that a value lacks, for messages about the result of a factory: `store(), get()`;
 * empty if there are none.
 */
export function missingMethods(value: unknown, methods: readonly string[]): string {
  const parts = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  return methods
    .filter((name) => typeof parts[name] !== 'function')
    .map((name) => `${name}()`)
    .join(', ')
}
