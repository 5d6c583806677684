import type { OrderSource } from 'celeriac'
import { isBuildEvent, type Kind, TASK } from './message.js'

/*
 * task                                            key                                  start or end
 * process_message, copr.build.*                   event.build + event.chroot           event_type
 * process_message, buildsys.build.state.change    event.build_id (Koji's)              event.new
 * process_message from testing-farm               event.request_id                     neither
 * run_copr_build_{start,end}_handler              event.build_id + event.chroot        the task's name, never the topic
 * babysit_copr_build                              args[0]: the build, no chroot        neither
 */

type Fields = Readonly<Record<string, unknown>>

/** What a message of Packit is about: messages about the same thing run in their order. Undefined: it has no order. */
export function orderKey({ task, args, kwargs }: OrderSource): string | undefined {
  const event = fieldsOf(kwargs.event)
  switch (task) {
    case TASK.process:
      if (isBuildEvent(kwargs.event_type)) return join('copr', event.build, event.chroot)
      if (kwargs.event_type === 'buildsys.build.state.change') return join('koji', event.build_id)
      return kwargs.source === 'testing-farm' ? join('tf', event.request_id) : undefined
    case TASK.start:
    case TASK.end:
      return join('copr', event.build_id, event.chroot)
    case TASK.babysit:
      return join('copr', args[0])
    default:
      return undefined
  }
}

/** Which side of a pair a message is. */
export function kindOf({ task, kwargs }: Pick<OrderSource, 'task' | 'kwargs'>): Kind {
  if (task === TASK.start) return 'start'
  if (task === TASK.end) return 'end'
  if (task !== TASK.process) return 'other'
  if (isBuildEvent(kwargs.event_type)) return kwargs.event_type === 'copr.build.start' ? 'start' : 'end'
  if (kwargs.event_type === 'buildsys.build.state.change') return fieldsOf(kwargs.event).new === 0 ? 'start' : 'end'
  return 'other'
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function join(prefix: string, ...parts: readonly unknown[]): string | undefined {
  return parts.every((part) => part !== undefined && part !== null) ? [prefix, ...parts].join(':') : undefined
}
