import type { Launch } from '../contender.js'
import type { Address } from '../workplace.js'

/** The built command, as an operator starts it. @param name of the node, if there is more than one on the queue */
export function celeriac(
  options: readonly string[],
  {
    app = 'build/bench/app.js',
    ...env
  }: { readonly app?: string; readonly [variable: string]: string | undefined } = {},
  name = 'worker',
) {
  return ({ brokerUrl, queue, trace }: Address): Launch => ({
    command: process.execPath,
    args: [
      'bin/celeriac.js',
      ...['-A', app, '-b', brokerUrl, 'worker', '-Q', queue, '-n', `${name}.${queue}@%h`],
      ...options,
    ],
    env: { BENCH_TRACE: trace, PACKIT_QUEUE: queue, PACKIT_TRACE: trace, ...env },
  })
}
