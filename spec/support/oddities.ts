/** Values that throw, or lie, when somebody looks at them: in JavaScript a task may throw or return any of them. */
export const ODDITIES: Readonly<Record<string, () => unknown>> = {
  'an object without a prototype': () => Object.create(null),
  'an object whose toString is undefined': () => ({ toString: undefined }),
  'an object whose toString throws': () => ({
    toString() {
      throw new Error('no text')
    },
  }),
  'an object whose toString returns an object': () => ({ toString: () => ({}), valueOf: () => ({}) }),
  'a proxy that throws': () =>
    new Proxy(
      {},
      {
        get: refuse,
        getPrototypeOf: refuse,
        ownKeys: refuse,
        has: refuse,
        getOwnPropertyDescriptor: refuse,
      },
    ),
  'a proxy around an error that throws': () => new Proxy(new Error('inside'), { get: refuse, getPrototypeOf: refuse }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  'a symbol': () => Symbol('odd'),
  'a function': () => () => undefined,
  undefined: () => undefined,
  null: () => null,
  'a BigInt': () => 10n,
  'an error whose message throws': () => withGetter('message'),
  'an error whose stack throws': () => withGetter('stack'),
  'an error whose name throws': () => withGetter('name'),
  'an error whose cause throws': () => withGetter('cause'),
  'an error whose args throw': () => withGetter('args'),
  'an error whose excType throws': () => withGetter('excType'),
  'an error whose constructor throws': () => withGetter('constructor'),
  'an error whose class throws': () => new Unnameable('a class that throws'),
  'an error without a prototype': () => Object.setPrototypeOf(new Error('bare'), null),
  'an error whose message is a symbol': () => Object.assign(new Error(), { message: Symbol('odd') }),
  'an error whose name is an object': () => Object.assign(new Error('named'), { name: Object.create(null) }),
  'an error whose args are a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    return Object.assign(new Error('args'), { args: proxy })
  },
  'an error that is its own cause': () => {
    const error = new Error('circle')
    return Object.assign(error, { cause: error })
  },
  'an error with a proxy for a cause': () =>
    new Error('caused', { cause: new Proxy(new Error('cause'), { get: refuse, getPrototypeOf: refuse }) }),
  'an error with a message of ten million characters': () => new Error('x'.repeat(10_000_000)),
  'a thenable that throws': () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is the point
    then() {
      throw Object.create(null)
    },
  }),
  'an error that calls itself a retry': () =>
    Object.assign(new Error('forged'), { [Symbol.for('celeriac.predicate')]: 'retry' }),
  'an error that calls itself a reject': () =>
    Object.assign(new Error('forged'), { [Symbol.for('celeriac.predicate')]: 'reject', message: Object.create(null) }),
}

class Unnameable extends Error {
  static get excType(): string {
    throw new Error('no type')
  }
}

function refuse(): never {
  throw Object.create(null)
}

function withGetter(name: string): Error {
  return Object.defineProperty(new Error('odd'), name, { get: refuse })
}
