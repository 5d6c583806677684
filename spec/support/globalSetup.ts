import { type Rabbitmq, startRabbitmq } from './rabbitmq.js'
import { type Redis, startRedis } from './redis.js'

declare global {
  var celeriacServices: readonly (Rabbitmq | Redis)[] | undefined
}

/** Starts the services of this run on private ports, unless they are given or not wanted. */
export default async function globalSetup(): Promise<void> {
  if (process.env.CELERIAC_SPEC_SERVICES === 'none') return
  const wanted = [
    ['CELERIAC_SPEC_BROKER_URL', startRabbitmq],
    ['CELERIAC_SPEC_REDIS_URL', startRedis],
  ] as const
  globalThis.celeriacServices = await Promise.all(
    wanted
      .filter(([variable]) => !process.env[variable])
      .map(async ([variable, start]) => {
        const service = await start()
        process.env[variable] = service.url
        return service
      }),
  )
}
