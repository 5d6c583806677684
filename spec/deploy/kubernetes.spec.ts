import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { parse } from 'yaml'
import type { Settings } from '../../lib/settings/table.js'
import { KUBERNETES, type Manifest, render, renderThis, validate } from './manifest.js'
import { workerSettings } from './workerSettings.js'

/** What an overlay that chooses KEDA, and certificates, has in it. */
const WITH_KEDA = {
  namespace: 'celeriac-keda',
  resources: ['./workers/short-running'],
  components: ['./components/keda', './components/tls'],
  images: [{ name: 'celeriac-app', newName: 'registry.example.com/celeriac-app', newTag: '1.0.0' }],
}

const OVERLAYS = ['dev', 'stg', 'prod', 'fleet', 'keda'] as const
/** Who runs what: the table. */
const WORKERS = {
  dev: ['all-worker'],
  stg: ['long-running-worker', 'short-running-worker'],
  prod: ['long-running-worker', 'short-running-worker'],
  fleet: ['short-running-worker'],
  keda: ['short-running-worker'],
} as const

const rendered = new Map<string, readonly Manifest[]>()

/** The objects of a kind in an overlay. */
function all<T>(overlay: string, kind: string): T[] {
  return (rendered.get(overlay) ?? []).filter((manifest) => manifest.kind === kind) as unknown as T[]
}

const deployments = (overlay: string): IDeployment[] => all<IDeployment>(overlay, 'Deployment')

function container(deployment: IDeployment) {
  const [only, ...others] = deployment.spec?.template.spec?.containers ?? []
  if (!only || others.length > 0) throw new Error('a worker is one container')
  return only
}

/** What the CLI makes of a deployment's arguments. */
function settingsOf(deployment: IDeployment): Promise<{ settings: Settings; nodename: string }> {
  const env = Object.fromEntries((container(deployment).env ?? []).map(({ name }) => [name, URLS.get(name) ?? '']))
  return workerSettings(container(deployment).args ?? [], env)
}

const URLS = new Map([
  ['CELERY_BROKER_URL', 'amqp://user:secret@rabbitmq//'],
  ['CELERY_RESULT_BACKEND', 'redis://:secret@redis/0'],
])

/** Whether labels have all that a selector asks for; an empty selector is a fault here, since it would match everything. */
function selects(selector: { matchLabels?: Record<string, string> } | undefined, labels: Record<string, string>) {
  const asked = Object.entries(selector?.matchLabels ?? {})
  return asked.length > 0 && asked.every(([name, value]) => labels[name] === value)
}

const podLabels = (deployment: IDeployment): Record<string, string> => deployment.spec?.template.metadata?.labels ?? {}

/** The lines that the component tells the reader to copy. */
function kedaReplacement(): Record<string, unknown> {
  const lines = readFileSync(join(KUBERNETES, 'components/keda/kustomization.yaml'), 'utf8').split('\n')
  const shown = lines.filter((line) => line.startsWith('#   ')).map((line) => line.slice(4))
  return parse(shown.join('\n')) as Record<string, unknown>
}

beforeAll(() => {
  for (const overlay of ['dev', 'stg', 'prod', 'fleet']) {
    rendered.set(overlay, render(join(KUBERNETES, 'overlays', overlay)))
  }
  rendered.set('keda', renderThis({ ...WITH_KEDA, ...kedaReplacement() }))
})

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  it('is made of objects that the published schemas accept, with no field that they do not know', () => {
    const manifests = rendered.get(overlay) ?? []
    for (const manifest of manifests) validate(manifest)
    expect(deployments(overlay).map((each) => each.metadata?.name)).toEqual(WORKERS[overlay])
    expect(new Set(manifests.map(({ metadata }) => metadata.namespace))).toEqual(new Set([`celeriac-${overlay}`]))
  })

  it('has arguments that the worker accepts without a warning, and a name of its own for each pod', async () => {
    for (const deployment of deployments(overlay)) {
      const { settings, nodename } = await settingsOf(deployment)
      const component = podLabels(deployment)['app.kubernetes.io/component']
      expect(nodename.startsWith(`${component}@`)).toBe(true)
      expect(settings.queues).toEqual(component === 'all' ? ['short-running', 'long-running'] : [component])
      expect(settings.broker_url).toBe(URLS.get('CELERY_BROKER_URL'))
    }
  })

  it('probes the port that the worker listens on, by paths that it has', async () => {
    for (const deployment of deployments(overlay)) {
      const { settings } = await settingsOf(deployment)
      const { ports, startupProbe, livenessProbe, readinessProbe } = container(deployment)
      expect(ports).toEqual([{ name: 'http', containerPort: 8080 }])
      expect(settings.worker_http).toBe('0.0.0.0:8080')
      expect([startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet)).toEqual(
        ['/livez', '/livez', '/readyz'].map((path) => ({ path, port: 'http' })),
      )
    }
  })

  it('leaves a task the time up to its hard limit when a pod is stopped', async () => {
    for (const deployment of deployments(overlay)) {
      const { settings } = await settingsOf(deployment)
      const grace = deployment.spec?.template.spec?.terminationGracePeriodSeconds ?? 30
      expect(settings.task_time_limit).toBeGreaterThan(settings.task_soft_time_limit ?? 0)
      expect(grace).toBeGreaterThanOrEqual((settings.task_time_limit ?? Number.POSITIVE_INFINITY) + 30)
      // A hook's time would come off the period.
      expect(container(deployment).lifecycle).toBeUndefined()
    }
  })

  it('selects by labels that its pods have, and no other deployment has', () => {
    for (const deployment of deployments(overlay)) {
      const labels = podLabels(deployment)
      const budgets = all<IPodDisruptionBudget>(overlay, 'PodDisruptionBudget')
      const policies = all<INetworkPolicy>(overlay, 'NetworkPolicy')
      expect(selects(deployment.spec?.selector, labels)).toBe(true)
      expect(budgets.filter(({ spec }) => selects(spec?.selector, labels))).toHaveLength(1)
      expect(policies.filter(({ spec }) => selects(spec?.podSelector, labels))).toHaveLength(1)
      expect(deployments(overlay).filter(({ spec }) => selects(spec?.selector, labels))).toHaveLength(1)
      const accounts = all<Manifest>(overlay, 'ServiceAccount').map(({ metadata }) => metadata.name)
      expect(accounts).toContain(deployment.spec?.template.spec?.serviceAccountName)
    }
  })

  it('runs without rights: as nobody, on a file system that it cannot write, without a token', () => {
    for (const deployment of deployments(overlay)) {
      const pod = deployment.spec?.template.spec
      expect(pod?.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 10001,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      expect(pod?.automountServiceAccountToken).toBe(false)
      expect(container(deployment).securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(container(deployment).resources).toEqual({
        requests: { cpu: expect.anything(), memory: expect.anything() },
        limits: { memory: expect.anything() },
      })
    }
  })

  it('has its URLs from a secret that is not in the repository', () => {
    expect(all(overlay, 'Secret')).toEqual([])
    for (const deployment of deployments(overlay)) {
      const { env = [] } = container(deployment)
      expect(env.map(({ name, value, valueFrom }) => [name, value, valueFrom?.secretKeyRef])).toEqual([
        ['CELERY_BROKER_URL', undefined, { name: 'celeriac', key: 'broker-url' }],
        ['CELERY_RESULT_BACKEND', undefined, { name: 'celeriac', key: 'result-backend' }],
      ])
    }
  })

  it('lets Prometheus in, and the worker out to the broker and the backend, in the clear and by TLS', () => {
    for (const { spec } of all<INetworkPolicy>(overlay, 'NetworkPolicy')) {
      expect(spec?.policyTypes).toEqual(['Ingress', 'Egress'])
      expect(spec?.ingress?.map(({ ports }) => ports)).toEqual([[{ port: 'http' }]])
      const out = spec?.egress?.flatMap(({ ports = [] }) => ports.map(({ port }) => port)) ?? []
      expect(out).toEqual(expect.arrayContaining([53, 5671, 5672, 6379, 6380]))
    }
  })

  it('pins its image to a version', () => {
    for (const deployment of deployments(overlay)) expect(container(deployment).image).toMatch(/^[\w./-]+:[\w.-]+$/)
  })
})

describe('scaling of pods', () => {
  interface ScaledObject {
    readonly spec: {
      readonly scaleTargetRef: { readonly name: string }
      readonly minReplicaCount: number
      readonly maxReplicaCount: number
      readonly advanced: { readonly horizontalPodAutoscalerConfig: { readonly behavior: unknown } }
      readonly triggers: readonly { readonly metricType: string; readonly metadata: Record<string, string> }[]
    }
  }

  const only = <T>(list: readonly T[]): T => {
    const [first, ...others] = list
    if (first === undefined || others.length > 0) throw new Error(`expected one, not ${list.length}`)
    return first
  }
  const pods = (overlay: string): IHorizontalPodAutoscaler =>
    only(all<IHorizontalPodAutoscaler>(overlay, 'HorizontalPodAutoscaler'))

  it('is for the short-running worker alone, whose number of pods no deployment sets', () => {
    for (const overlay of ['stg', 'prod', 'fleet']) {
      expect(pods(overlay).spec?.scaleTargetRef.name).toBe('short-running-worker')
      const replicas = deployments(overlay).map(({ metadata, spec }) => [metadata?.name, spec?.replicas])
      expect(new Map(replicas as [string, number][]).get('short-running-worker')).toBeUndefined()
    }
    expect(all('dev', 'HorizontalPodAutoscaler')).toEqual([])
  })

  it('follows what Prometheus records, by the label that its scrape puts on the pods', () => {
    const { rules } = parse(readFileSync(join(KUBERNETES, 'components/hpa/prometheus-adapter.yaml'), 'utf8')) as {
      rules: { external: { seriesQuery: string; metricsQuery: string; name?: unknown }[] }
    }
    const rule = only(rules.external)
    const metric = only(pods('prod').spec?.metrics ?? []).external?.metric
    expect(metric).toEqual({
      name: 'celery_fleet_load',
      selector: { matchLabels: { component: podLabels(only(deployments('keda')))['app.kubernetes.io/component'] } },
    })
    expect(rule.seriesQuery).toBe('celery_fleet_load{namespace!="",component!=""}')
    expect(rule.name).toBeUndefined()
    expect(rule.metricsQuery).toBe('sum(<<.Series>>{<<.LabelMatchers>>})')
  })

  it('of a fleet leaves a lane to each pod, never goes below two, and takes one away at a time', async () => {
    const { settings } = await settingsOf(only(deployments('fleet')))
    const { behavior, maxReplicas, metrics, minReplicas } = pods('fleet').spec ?? {}
    expect(settings.worker_fleet_queues).toEqual(settings.queues)
    expect(minReplicas).toBe(2)
    expect(maxReplicas).toBeLessThanOrEqual(settings.worker_fleet_lanes)
    expect(behavior?.scaleDown?.policies).toEqual([{ type: 'Pods', value: 1, periodSeconds: 60 }])
    expect(metrics).toEqual(pods('prod').spec?.metrics)
  })

  it('is the same by KEDA: query, target, bounds and behaviour', () => {
    const { spec } = only(all<ScaledObject>('keda', 'ScaledObject'))
    const hpa = pods('prod').spec
    const trigger = only(spec.triggers)
    expect(trigger.metadata.query).toBe('sum(celery_fleet_load{namespace="celeriac-keda",component="short-running"})')
    const target = only(hpa?.metrics ?? []).external?.target
    expect([trigger.metricType, trigger.metadata.threshold]).toEqual([target?.type, target?.averageValue])
    expect(spec.scaleTargetRef.name).toBe(hpa?.scaleTargetRef.name)
    expect([spec.minReplicaCount, spec.maxReplicaCount]).toEqual([hpa?.minReplicas, hpa?.maxReplicas])
    expect(spec.advanced.horizontalPodAutoscalerConfig.behavior).toEqual(hpa?.behavior)
  })
})

describe('the check of manifests', () => {
  const changed = (change: (deployment: IDeployment) => void): (() => void) => {
    const copy = structuredClone(deployments('dev')[0]) as IDeployment
    change(copy)
    return () => validate(copy as unknown as Manifest)
  }

  it('finds what is missing, of a wrong type, or unknown', () => {
    expect(changed(() => undefined)).not.toThrow()
    expect(changed(({ spec }) => Reflect.deleteProperty(spec ?? {}, 'selector'))).toThrow('property selector')
    expect(changed((deployment) => Reflect.set(container(deployment), 'args', '-l'))).toThrow('must be array')
    expect(changed((deployment) => Reflect.set(container(deployment), 'imagePolicy', 'Always'))).toThrow(
      'Deployment all-worker: unknown /spec/template/spec/containers/0/imagePolicy',
    )
  })
})
