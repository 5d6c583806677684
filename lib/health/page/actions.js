import { announce, element } from './format.js'

const ask = (request) => document.querySelector('control-dialog').ask({ ...request, done: announce })

export const stopQueue = (queue) =>
  ask({
    title: 'Stop consuming?',
    text: `No more messages are taken from ${queue}. Messages that were already taken still run.`,
    confirm: 'Stop consuming',
    command: 'cancel_consumer',
    args: { queue },
  })

export const stopTask = (task, id) =>
  ask({
    title: 'Stop this task?',
    text: `${task} (${id}) is revoked and told to stop. It is not run again.`,
    confirm: 'Stop the task',
    command: 'revoke',
    args: { task_id: id, terminate: true },
  })

export const unblock = (key) =>
  ask({
    title: 'Unblock this key?',
    text: `The messages of ${key} that wait behind the failed one will run.`,
    confirm: 'Unblock',
    command: 'unblock',
    args: { key },
  })

/** Buttons that belong to no row, by command. */
const BUTTONS = {
  pool_grow: () => ({
    title: 'More slots',
    text: 'This many more tasks can run at the same time.',
    confirm: 'Open slots',
    fields: [{ name: 'n', label: 'Slots to open', type: 'number', value: 1 }],
  }),
  pool_shrink: () => ({
    title: 'Fewer slots',
    text: 'This many fewer tasks can run at the same time. Running tasks are not stopped.',
    confirm: 'Close slots',
    fields: [{ name: 'n', label: 'Slots to close', type: 'number', value: 1 }],
  }),
  autoscale: ({ slots }) => ({
    title: 'Limits of the autoscaler',
    text: 'The number of slots follows the queue between these two.',
    confirm: 'Set limits',
    fields: [
      { name: 'max', label: 'Most slots', type: 'number', value: slots.max },
      { name: 'min', label: 'Fewest slots', type: 'number', value: slots.min },
    ],
  }),
  add_consumer: () => ({
    title: 'Consume from a queue',
    text: 'The queue is declared if it does not exist.',
    confirm: 'Consume',
    fields: [{ name: 'queue', label: 'Queue', type: 'text' }],
  }),
}

let latest = null

for (const [command, request] of Object.entries(BUTTONS)) {
  const button = document.querySelector(`[data-control="${command}"]`)
  button.addEventListener('click', () => ask({ ...request(latest), command, args: {} }))
}

/**
 * Shows the possible actions: none while control is off, and only those ways to change the slots that this worker has.
 */
export function showActions(snapshot) {
  latest = snapshot
  const { autoscales, controls } = snapshot
  element('control').hidden = controls.length === 0
  for (const button of document.querySelectorAll('[data-control]')) {
    const { control } = button.dataset
    const fits = { pool_grow: !autoscales, pool_shrink: !autoscales, autoscale: autoscales }[control] ?? true
    button.hidden = !fits || !controls.includes(control)
  }
}
