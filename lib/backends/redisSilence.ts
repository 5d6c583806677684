import type { Redis } from 'ioredis'

/** Gives a connection up that is silent while something is asked on it: a server that is frozen closes nothing. To be called at each connection. */
export function watch(client: Redis, silenceMs: number, isAsked: () => boolean): void {
  onSilence(client, silenceMs, () => isAsked() || client.status !== 'ready')
}

/** The same for a connection on which nothing is asked: after each silence it is, whether it is still there. */
export function probe(client: Redis, silenceMs: number): void {
  let isAsked = false
  const answered = (): void => {
    isAsked = false
  }
  onSilence(client, silenceMs, () => {
    if (isAsked || client.status !== 'ready') return true
    isAsked = true
    client.ping().then(answered, answered)
    return false
  })
}

/** Not by the callback of `setTimeout`, which is called for the first silence alone. */
function onSilence({ stream }: Redis, silenceMs: number, isOver: () => boolean): void {
  stream.setTimeout(silenceMs).on('timeout', () => {
    if (isOver()) stream.destroy(new Error(`it has not answered for ${silenceMs / 1000} s`))
  })
}
