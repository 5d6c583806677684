function service(variable: string, what: string): string {
  const url = process.env[variable]
  if (!url) throw new Error(`this spec needs ${what}: run it without CELERIAC_SPEC_SERVICES=none, or set ${variable}`)
  return url
}

/** The RabbitMQ of this run. */
export function brokerUrl(): string {
  return service('CELERIAC_SPEC_BROKER_URL', 'RabbitMQ')
}

/** The Redis of this run. */
export function redisUrl(): string {
  return service('CELERIAC_SPEC_REDIS_URL', 'Redis')
}
