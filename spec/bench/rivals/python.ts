import type { Launch } from '../contender.js'
import type { Address } from '../workplace.js'

/** Debian's Celery. @param name of the node, if there is more than one on the queue */
export function python(options: readonly string[], env: Readonly<Record<string, string>> = {}, name = 'celery') {
  return ({ brokerUrl, queue, trace }: Address): Launch => ({
    // Debian's own interpreter: another one on the PATH would not find its packages.
    command: '/usr/bin/python3',
    args: [
      '-m',
      'celery',
      ...['-A', 'tasks', '-b', brokerUrl, 'worker', '-Q', queue, '-n', `${name}.${queue}@%h`],
      ...options,
    ],
    env: {
      PYTHONPATH: 'spec/bench',
      PYTHONDONTWRITEBYTECODE: '1',
      BENCH_TRACE: trace,
      PACKIT_QUEUE: queue,
      PACKIT_TRACE: trace,
      ...env,
    },
  })
}
