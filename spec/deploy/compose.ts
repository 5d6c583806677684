import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export const DEPLOY = fileURLToPath(new URL('../../deploy', import.meta.url))

/** The parts of a service of compose.yaml that specs look at. */
export interface Service {
  readonly image?: string
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>> | readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly stop_grace_period?: string
}

export interface Compose {
  readonly name: string
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

/** deploy/compose.yaml, with the defaults of its variables put in, as Compose does. */
export function readCompose(): Compose {
  const text = readFileSync(`${DEPLOY}/compose.yaml`, 'utf8').replace(/\$\{\w+:-(\w+)\}/g, '$1')
  return parse(text) as Compose
}

export function serviceOf(name: string): Service {
  const service = readCompose().services[name]
  if (!service) throw new Error(`compose.yaml has no service ${name}`)
  return service
}
