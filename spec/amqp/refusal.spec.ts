import { expect, it } from '@jest/globals'
import type { Epoch } from '../../lib/amqp/epoch.js'
import { refusalOf } from '../../lib/amqp/refusal.js'

/** What RabbitMQ says when it ends a connection. */
const refusals = [
  [541, "INTERNAL_ERROR - timed out consuming from quorum queue 'q' in vhost '/': {'%2F_q', rabbit@one}", true],
  [541, "INTERNAL_ERROR - Cannot declare a queue 'queue 'q' in vhost '/'' on node 'rabbit@one': timeout", true],
  [541, 'INTERNAL_ERROR - Cannot declare a queue: the corresponding feature flag is disabled', false],
  [503, "COMMAND_INVALID - unknown exchange type 'nonsense'", false],
] as const

it.each(refusals)(
  'a queue over which the connection ends with %i, %s, may be accepted later: %p',
  (code, text, later) => {
    const reason = Object.assign(new Error(text), { code })
    const epoch = { ended: AbortSignal.abort(reason) } as Epoch
    expect(refusalOf(new Error('Channel closed'), epoch)).toMatchObject({
      message: text,
      isCostly: true,
      mayPass: later,
    })
  },
)
