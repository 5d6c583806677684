import { repr } from '../protocol/repr.js'
import type { RequestInfo } from './context.js'

/**
 * A function around every task's handler: for error reports, `AsyncLocalStorage`, timing. It calls `next` once and
 * returns, or resolves with, the result; errors of the handler are thrown by `next`. If it does not call `next`, the
 * handler doesn't run, and the middleware's return value is the task's result.
 */
export type Middleware = (request: RequestInfo, next: () => Promise<unknown>) => unknown

type Run = () => unknown

/** The middleware of an app, outermost first. */
export class Middlewares {
  private readonly all: Middleware[] = []
  /** All middleware as one function; null if there is none. Rebuilt only when middleware is added. */
  around: ((request: RequestInfo, run: Run) => Promise<unknown>) | null = null

  /** @throws TypeError for a middleware that is not a function */
  add(middleware: Middleware): void {
    if (typeof middleware !== 'function') {
      throw new TypeError(`app.use(${repr(middleware, 80)}): expected a function (request, next) => next()`)
    }
    this.all.push(middleware)
    this.around = compose(this.all)
  }
}

function compose(all: readonly Middleware[]): (request: RequestInfo, run: Run) => Promise<unknown> {
  type Layer = (request: RequestInfo, run: Run) => Promise<unknown>
  const innermost: Layer = async (_, run) => run()
  return all.reduceRight<Layer>(
    (inner, middleware) => async (request, run) => {
      let called = false
      return middleware(request, () => {
        if (called) return Promise.reject(calledTwice(middleware))
        called = true
        return inner(request, run)
      })
    },
    innermost,
  )
}

function calledTwice({ name }: Middleware): Error {
  return new Error(
    `the middleware ${name || '(anonymous)'} of app.use called next() twice: a task runs once; throw self.retry() to run it again`,
  )
}
