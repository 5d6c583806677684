import { type Link, openLink, through } from './link.js'

/** A broker that closes the connection, as when it shuts down, in place of its next words. */
export interface ForcedClose {
  readonly url: string
  /** From now on, for one connection. */
  force(): void
  close(): Promise<void>
}

const TEXT = 'CONNECTION_FORCED - broker forced connection closure'
/** connection.close with the code 320. */
const METHOD = [0, 10, 0, 50, 320 >> 8, 320 & 255, TEXT.length, ...Buffer.from(TEXT), 0, 0, 0, 0]
const FRAME = Buffer.from([1, 0, 0, 0, 0, 0, METHOD.length, ...METHOD, 0xce])

export async function forcedClose(brokerUrl: string): Promise<ForcedClose> {
  let isForced = false
  const link: Link = await openLink(Number(new URL(brokerUrl).port), undefined, (chunk) => {
    if (!isForced) return chunk
    isForced = false
    return FRAME
  })
  return {
    url: through(brokerUrl, link.port),
    force: () => {
      isForced = true
    },
    close: () => link.close(),
  }
}
