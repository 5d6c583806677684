import type { Backend } from '../ports.js'
import { BackendError } from './backendError.js'

function noResults(): Promise<never> {
  return Promise.reject(new BackendError('No result backend is configured: set result_backend', { retriable: false }))
}

/**
 * No backend, as when `result_backend` is unset: storing does nothing, reading a result is an error. Celery's
 * `DisabledBackend`.
 */
export function createDisabledBackend(): Backend {
  return {
    name: 'disabled://',
    storesNothing: true,
    start: async () => undefined,
    stop: async () => undefined,
    healthy: () => true,
    store: async () => undefined,
    get: noResults,
    subscribe: noResults,
    forget: noResults,
  }
}
