import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { parseAllDocuments } from 'yaml'

export const KUBERNETES = fileURLToPath(new URL('../../deploy/kubernetes', import.meta.url))

/** The models by `apiVersion kind`: what isn't here isn't expected in the manifests. */
const MODELS = new Map(
  [Deployment, HorizontalPodAutoscaler, ScaledObject, NetworkPolicy, PodDisruptionBudget, ServiceAccount].map(
    (model) => [`${model.apiVersion} ${model.kind}`, model.prototype],
  ),
)

/** What all objects have. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> }
  readonly spec: unknown
}

/** What `kubectl apply -k` would send. @throws with kustomize's message */
export function render(directory: string): Manifest[] {
  const text = execFileSync('kubectl', ['kustomize', directory], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest)
}

/** As `render`, of a kustomization that isn't in the repository. Paths that begin with `./` are taken from `deploy/kubernetes`. */
export function renderThis(kustomization: Readonly<Record<string, unknown>>): Manifest[] {
  const directory = mkdtempSync(join(tmpdir(), 'celeriac-kustomize-'))
  try {
    // JSON is YAML.
    const text = JSON.stringify(kustomization).replaceAll('"./', `"${relative(directory, KUBERNETES)}/`)
    writeFileSync(join(directory, 'kustomization.yaml'), text)
    return render(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/**
 * Checks an object against the schema that Kubernetes, or KEDA, publishes for its kind, and that the schema knows every field
 * in it, as the API server does when it is asked to be strict.
 * @throws Error that names the fault
 */
export function validate(manifest: Manifest): void {
  const model = MODELS.get(`${manifest.apiVersion} ${manifest.kind}`)
  if (!model) throw new Error(`no schema for ${manifest.apiVersion} ${manifest.kind}`)
  const read = new Set<string>()
  // The models' constructors copy, which would read all of it.
  model.validate.call(watched(manifest, '', read))
  const unread = pathsOf(manifest, '').filter((path) => !read.has(path))
  if (unread.length > 0) throw new Error(`${manifest.kind} ${manifest.metadata.name}: unknown ${unread.join(', ')}`)
}

/** The schemas let unknown fields pass, but come as code that reads those it knows. */
function watched(value: unknown, path: string, read: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  return new Proxy(value, {
    get(target, key, receiver) {
      const found: unknown = Reflect.get(target, key, receiver)
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) return found
      read.add(`${path}/${key}`)
      return watched(found, `${path}/${key}`, read)
    },
  })
}

function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, each]) => [`${path}/${key}`, ...pathsOf(each, `${path}/${key}`)])
}
