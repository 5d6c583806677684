import { Blueprint, type Component } from '../component.js'
import type { Address } from '../settings/address.js'
import type { HttpProbes, ProbesOptions } from './httpProbes.js'

/** Loads the HTTP side of the worker. With `--without-http` it does nothing, and none of that code is loaded. */
export class Probes {
  readonly components: readonly Component[]
  private inner: HttpProbes | null = null
  private parts: Blueprint | null = null
  private stopped = false

  constructor(private readonly options: ProbesOptions) {
    const http = { name: 'http', start: () => this.start(), stop: () => this.stop() }
    this.components = options.settings.without_http ? [] : [http]
  }

  /** Address of the server; null while it doesn't listen. */
  get address(): Address | null {
    return this.inner?.address ?? null
  }

  private async start(): Promise<void> {
    const { HttpProbes } = await import('./httpProbes.js')
    if (this.stopped) return
    this.inner = new HttpProbes(this.options)
    this.parts = new Blueprint('http', this.inner.components)
    await this.parts.start()
  }

  private async stop(): Promise<void> {
    this.stopped = true
    await this.parts?.stop()
  }
}
