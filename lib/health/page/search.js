import { duration, timeOf } from './format.js'

/** Texts for what a task waits for. */
const WAITS = {
  eta: 'waits for its ETA',
  order: 'waits for an earlier task with the same order key',
  retry: 'waits for its retry',
  breaker: 'waits for a circuit breaker to close',
  rate: 'waits for its rate limit',
}

/** Shows the state of one task: in this worker, among the latest failures, in the result backend. */
class TaskSearch extends HTMLElement {
  connectedCallback() {
    this.querySelector('form').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#find(this.querySelector('input').value.trim())
    })
  }

  async #find(id) {
    const output = this.querySelector('output')
    try {
      const response = await fetch(`/api/task?id=${encodeURIComponent(id)}`, { cache: 'no-store' })
      const answer = await response.json()
      output.textContent = response.ok ? sentences(answer).join(' ') : answer.error
    } catch (thrown) {
      output.textContent = `The worker did not answer: ${thrown.message}`
    }
  }
}

function sentences({ failure, here, stored, storeError }) {
  const found = [
    here && `This worker has this task: ${inHand(here)}.`,
    failure && `${failure.task} failed here at ${timeOf(failure.at)}: ${failure.exception}.`,
    stored &&
      `The result backend says ${stored.state}${stored.doneAt === null ? '' : `, since ${timeOf(stored.doneAt)}`}.`,
    storeError && `The result backend can't be asked: ${storeError}.`,
  ].filter(Boolean)
  return here || failure || stored
    ? found
    : ['This worker does not have this task, and no result of it is known.', ...found]
}

function inHand({ key, queue, retries, sinceMs, state, task, waitsFor }) {
  const what = state === 'running' ? 'runs' : (WAITS[waitsFor] ?? 'waits for a slot')
  const more = [key === null ? '' : `, order key ${key}`, retries > 0 ? `, retry ${retries}` : '']
  return `${task} of queue ${queue} ${what}, for ${duration(sinceMs)}${more.join('')}`
}

customElements.define('task-search', TaskSearch)
