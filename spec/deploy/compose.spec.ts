import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { DEPLOY, readCompose, type Service, serviceOf } from './compose.js'
import { workerSettings } from './workerSettings.js'

/** By the Compose specification; what compose.yaml doesn't use isn't here. */
const SERVICE_KEYS = new Set(
  'image build command environment ports volumes depends_on healthcheck stop_grace_period read_only tmpfs cap_drop security_opt'.split(
    ' ',
  ),
)
const HEALTHCHECK_KEYS = new Set('test interval timeout retries start_period'.split(' '))

const services = (): [string, Service][] => Object.entries(readCompose().services)
const unknown = (keys: object | undefined, known: ReadonlySet<string>): string[] =>
  Object.keys(keys ?? {}).filter((key) => !known.has(key))

/*
 * No container engine runs where the specs do: images are neither pulled nor built here, and Compose itself isn't asked. What is
 * checked is that the file says what Compose would understand, and that all it names exists. The worker's command line and the
 * producer do run, against a private broker: see demonstration.spec.ts.
 */
describe('compose.yaml, which no engine runs here', () => {
  it('has the services that the demonstration is made of, and only keys that Compose knows', () => {
    const { services: named, volumes, ...top } = readCompose()
    expect(Object.keys(named).sort()).toEqual([
      'flower',
      'grafana',
      'producer',
      'prometheus',
      'rabbitmq',
      'redis',
      'worker',
    ])
    expect(Object.keys(top).filter((key) => key !== 'name' && !key.startsWith('x-'))).toEqual([])
    for (const [, service] of services()) {
      expect(unknown(service, SERVICE_KEYS)).toEqual([])
      expect(unknown(service.healthcheck, HEALTHCHECK_KEYS)).toEqual([])
      expect((service.healthcheck?.test ?? ['CMD']).every((word) => typeof word === 'string')).toBe(true)
      expect((service.command ?? []).every((word) => typeof word === 'string')).toBe(true)
      expect(Object.values(service.environment ?? {}).every((value) => typeof value === 'string')).toBe(true)
    }
    expect(Object.keys(volumes)).toEqual(['rabbitmq', 'prometheus'])
  })

  it('pins every image to a version', () => {
    for (const [, { image, build }] of services()) {
      expect([image === undefined, build === undefined]).toEqual([build !== undefined, image !== undefined])
      if (image !== undefined) expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*$/)
    }
  })

  it('mounts files and builds from directories that are there', () => {
    const { volumes } = readCompose()
    for (const [, service] of services()) {
      for (const volume of service.volumes ?? []) {
        const [source = '', target] = volume.split(':')
        expect(target).toMatch(/^\//)
        expect(source.startsWith('.') ? existsSync(join(DEPLOY, source)) : source in volumes).toBe(true)
      }
      if (service.build) expect(existsSync(join(DEPLOY, service.build.context, service.build.dockerfile))).toBe(true)
    }
  })

  it('opens ports on loopback only', () => {
    for (const [, { ports = [] }] of services())
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d*:\d+$/)
  })

  it('starts what others wait for, and looks whether it is well where they wait for that', () => {
    for (const [, { depends_on: dependsOn = {} }] of services()) {
      const waited = Array.isArray(dependsOn) ? dependsOn.map((name) => [name, {}] as const) : Object.entries(dependsOn)
      for (const [name, { condition }] of waited as [string, { condition?: string }][]) {
        const needed = serviceOf(name)
        if (condition === 'service_healthy') expect(needed.healthcheck?.test[0]).toBe('CMD')
      }
    }
  })

  it("gives the worker arguments that it accepts, probes its port, and waits for longer than its tasks' limit", async () => {
    const { command = [], environment = {}, healthcheck, ports, stop_grace_period: grace = '' } = serviceOf('worker')
    const { settings } = await workerSettings(command, environment)
    expect(settings.worker_http).toBe('0.0.0.0:8080')
    expect(ports).toEqual(['127.0.0.1::8080'])
    expect(healthcheck?.test.slice(0, 3)).toEqual(['CMD', 'node', '-e'])
    expect(healthcheck?.test[3]).toContain("fetch('http://127.0.0.1:8080/readyz')")
    expect(Number.parseInt(grace, 10)).toBeGreaterThan(settings.task_time_limit ?? Number.POSITIVE_INFINITY)
    expect(settings.broker_url).toBe('amqp://demo:demonstration@rabbitmq:5672//')
    expect(serviceOf('rabbitmq').environment).toEqual({
      RABBITMQ_DEFAULT_USER: 'demo',
      RABBITMQ_DEFAULT_PASS: 'demonstration',
    })
  })

  it('gives Prometheus, Grafana and the dashboard to each other', () => {
    const at = (path: string): unknown => parse(readFileSync(join(DEPLOY, path), 'utf8'))
    expect(at('prometheus/prometheus.yml')).toMatchObject({
      scrape_configs: [{ dns_sd_configs: [{ names: ['worker'], port: 8080 }] }],
    })
    const [source] = (at('grafana/provisioning/datasources/prometheus.yml') as { datasources: object[] }).datasources
    expect(source).toMatchObject({ type: 'prometheus', url: 'http://prometheus:9090' })
    const [provider] = (at('grafana/provisioning/dashboards/celeriac.yml') as { providers: object[] }).providers
    const { environment, volumes } = serviceOf('grafana')
    expect(provider).toMatchObject({ options: { path: '/var/lib/grafana/dashboards' } })
    expect(volumes).toContain('./grafana/celeriac.json:/var/lib/grafana/dashboards/celeriac.json:ro')
    expect(environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH).toBe('/var/lib/grafana/dashboards/celeriac.json')
  })
})
