import { Blueprint, type Component } from '../component.js'
import type { Address } from '../settings/address.js'
import type { HttpProbes, ProbesOptions } from './httpProbes.js'

/** The way in to what operators see over HTTP. With `--without-http` it is nothing, and none of its code is loaded. */
export class Probes {
  readonly components: readonly Component[]
  private inner: HttpProbes | null = null
  private parts: Blueprint | null = null
  private stopped = false

  constructor(private readonly options: ProbesOptions) {
    const http = { name: 'http', start: () => this.start(), stop: () => this.stop() }
    this.components = options.settings.without_http ? [] : [http]
  }

  /** Where it listens; null while it doesn't. */
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
