import { test } from 'node:test'
import { decodeResult, encodeResult } from 'celeriac'
import { testBackend } from 'celeriac/conformance'

/** A backend as the recipe has it, in a Map. */
const results = new Map()
const heard = new Map()
class MapBackend {
  name = 'map://'
  storesNothing = false
  async start() {
    // There is nothing to connect to.
  }
  async stop() {
    // Nothing is under way.
  }
  healthy() {
    return true
  }
  async store(meta) {
    const text = encodeResult(meta)
    if (results.has(meta.taskId) && decodeResult(results.get(meta.taskId)).status === 'SUCCESS') return
    results.set(meta.taskId, text)
    for (const listener of heard.get(meta.taskId) ?? []) listener(decodeResult(text))
  }
  async get(id) {
    return results.has(id) ? decodeResult(results.get(id)) : null
  }
  async subscribe(id, onMeta) {
    const listener = (meta) => onMeta(meta)
    heard.set(id, (heard.get(id) ?? new Set()).add(listener))
    return async () => void heard.get(id)?.delete(listener)
  }
  async forget(id) {
    results.delete(id)
  }
}
testBackend(test, { name: 'map://', create: () => new MapBackend(), reads: true })
