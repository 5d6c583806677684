import { BreakerOpen, Celery } from 'celeriac'

const app = new Celery('chat')

class Refused extends Error {}

/** The call to guard. It has a time limit of its own, so that a service which hangs counts as one that fails. */
const post = app.breaker(
  'chat',
  async (text: string) => {
    const url = process.env.CHAT_URL ?? 'http://localhost:3000/'
    const response = await fetch(url, { method: 'POST', body: text, signal: AbortSignal.timeout(5000) })
    if (!response.ok) throw new Refused(`${response.status} ${response.statusText}`)
  },
  { volumeThreshold: 3, resetTimeoutMs: 500 },
)

/** Waits while the breaker is open; what has failed, or came too late to wait, is tried again. */
export const say = app.task(
  'chat.say',
  {
    params: ['text'],
    pauseWhileOpen: 'chat',
    autoretryFor: [Refused, TypeError, BreakerOpen],
    defaultRetryDelay: 0.1,
    maxRetries: 20,
  },
  async (text: string) => {
    await post(text)
  },
)

export default app
