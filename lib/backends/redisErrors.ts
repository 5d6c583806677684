import { coerceError } from '../errors.js'

/**
 * What an error of Redis means for a result. reconnect: this server can't store it, another one behind the same address
 * may. wait: the server can't at present. never: the same command would fail in the same way again, and is not retried.
 */
export type Remedy = 'reconnect' | 'wait' | 'never'

/*
 * READONLY      it is a replica by now: after a failover behind a fixed address
 * MASTERDOWN    a replica without its master
 * LOADING       it has just been started
 * CLUSTERDOWN, TRYAGAIN   a cluster that is being mended or resharded
 * NOAUTH, WRONGPASS       the password was changed: results wait for whoever mends it, rather than be lost by the thousand
 * OOM, MISCONF, NOREPLICAS, BUSY   it takes no writes until there is memory, disk, a replica, or the end of a script
 * WRONGTYPE     somebody else's value is under the key
 * NOPERM        the user may not do it
 * MOVED, ASK, CROSSSLOT   it is part of a cluster, which is not spoken to as one
 */
const REMEDIES: Readonly<Record<string, Remedy>> = {
  READONLY: 'reconnect',
  MASTERDOWN: 'reconnect',
  LOADING: 'reconnect',
  CLUSTERDOWN: 'reconnect',
  TRYAGAIN: 'reconnect',
  NOAUTH: 'reconnect',
  WRONGPASS: 'reconnect',
  OOM: 'wait',
  MISCONF: 'wait',
  NOREPLICAS: 'wait',
  BUSY: 'wait',
  WRONGTYPE: 'never',
  NOPERM: 'never',
  MOVED: 'never',
  ASK: 'never',
  CROSSSLOT: 'never',
}
/** Anywhere in the text: an error inside a script is quoted after other words. */
const KNOWN = new RegExp(`(?:^|[^A-Za-z])(${Object.keys(REMEDIES).join('|')})(?![A-Za-z])`)
/** Redis starts every refusal with a code. */
const CODE = /^[A-Z]+ /

/** What to do about an error that a command threw. */
export function remedyOf(thrown: unknown): Remedy {
  const { message, name } = coerceError(thrown)
  // The error doesn't concern the command: there was no answer.
  if (name !== 'ReplyError') return 'wait'
  const code = KNOWN.exec(message)?.[1]
  if (code !== undefined) return REMEDIES[code] ?? 'never'
  // An error without a code comes from a proxy that has lost the server behind it.
  return CODE.test(message) ? 'never' : 'reconnect'
}
