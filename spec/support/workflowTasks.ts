import { setTimeout } from 'node:timers/promises'

class ValueError extends Error {
  static readonly excType = 'ValueError'
  static readonly excModule = 'builtins'
}

/** An app, of the sources or of the built package. */
interface Defines {
  task(name: string, handler: (...args: never[]) => unknown): unknown
  task(
    name: string,
    options: { bind: true },
    handler: (self: { readonly signal: AbortSignal }, seconds: number) => unknown,
  ): unknown
}

/** The tasks of the workflows that specs build in TypeScript; `spec/peers/workflows.py` has the same in Python. */
export function defineWorkflowTasks(app: Defines): void {
  app.task('wf.add', (x: number, y: number) => x + y)
  app.task('wf.double', (n: number) => 2 * n)
  app.task('wf.sum', (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0))
  app.task('wf.echo', (...args: unknown[]) => args)
  app.task('wf.fail', (text: string) => {
    throw new ValueError(text)
  })
  app.task('wf.caught', (id: string) => `caught ${id}`)
  app.task('wf.sleep', { bind: true }, (self, seconds: number) =>
    setTimeout(seconds * 1000, null, { signal: self.signal }),
  )
}
