import { join } from 'node:path'
import { ROOT } from './workerProgram.js'

/*
 * What the specs talk to: this machine's RabbitMQ, Redis and Celery, or those of another Debian release, whose files are under the folder that
 * an environment variable names. `bin/test --on` sets these; both may name the same folder.
 */
const IN_ROOT = join(ROOT, 'spec/support/inRoot.sh')

/** A Python that has Celery; to be run like any program. */
export const PYTHON = join(ROOT, 'spec/support/python3')

/** A command of the release whose RabbitMQ the specs use. */
export function ofRabbitmq(...command: readonly string[]): readonly [string, ...string[]] {
  return [IN_ROOT, process.env.CELERIAC_SPEC_RABBITMQ ?? '', ...command]
}

/** The server that the specs call Redis: `redis-server`, or `valkey-server` where CELERIAC_SPEC_REDIS_SERVER says so. */
export function redisServer(...args: readonly string[]): readonly [string, ...string[]] {
  const { CELERIAC_SPEC_REDIS: root = '', CELERIAC_SPEC_REDIS_SERVER: server = 'redis-server' } = process.env
  return [IN_ROOT, root, server, ...args]
}
