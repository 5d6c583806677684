import { execFileSync } from 'node:child_process'
import { connect } from 'amqplib'
import { PYTHON } from './peers.js'
import { brokerUrl } from './services.js'

/*
 * For what is known to differ from one version of a peer to the next; spec/README.md lists it.
 */

/** In what Celery tells of a workflow, a fault of its own: 5.2 can't count a member that has no group index, and 5.5 can't fail a body that is a chain. */
export const CELERY_FAULT = /TypeError|task_id must not be empty/

/** Whether the RabbitMQ of this run is of this version or a later one. */
export async function isRabbitmq(major: number, minor = 0): Promise<boolean> {
  const connection = await connect(brokerUrl())
  const { version } = connection.connection.serverProperties
  await connection.close()
  return isFrom(version, major, minor)
}

/** Whether the Celery that the specs run is of this version or a later one. */
export function isCelery(major: number, minor = 0): boolean {
  return isFrom(execFileSync(PYTHON, ['-m', 'celery', '--version'], { encoding: 'utf8' }), major, minor)
}

function isFrom(version: string, major: number, minor: number): boolean {
  const [found, sub] = version.split('.').map(Number.parseFloat)
  if (found === undefined || sub === undefined) throw new Error(`${version} is not a version`)
  return found > major || (found === major && sub >= minor)
}
