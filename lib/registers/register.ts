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
   */
  constructor(
    private readonly call: string,
    private readonly what: string,
  ) {}

  /** @throws TypeError for a name that is taken */
  add(name: string, value: T): void {
    if (this.found.has(name)) throw this.fault(`there is ${this.what} of the name ${JSON.stringify(name)} already`)
    this.found.set(name, value)
  }

  get(name: string): T | undefined {
    return this.found.get(name)
  }

  /** In the order in which they were added. */
  get names(): readonly string[] {
    return [...this.found.keys()]
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
