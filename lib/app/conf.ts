import { type CanvasLimits, canvasLimits } from '../canvas/parse.js'
import { repr } from '../protocol/repr.js'
import { ROWS } from '../settings/table.js'
import { plainObject } from './optionChecks.js'

/** Arguments of Python's `Celery(...)` or of celery-node that are not settings, with the setting to use here. */
const CONSTRUCTOR: Readonly<Record<string, string>> = {
  broker: 'broker_url',
  backend: 'result_backend',
  brokerUrl: 'broker_url',
  queue: 'task_default_queue',
  serializer: 'task_serializer',
}

/**
 * Checks what an app is made with. A misspelt setting would silently leave the app with the default, such as another
 * broker. Settings of Celery that Celeriac doesn't have are reported by whatever loads the app.
 * @throws TypeError that names everything that is wrong
 */
export function checkConf(main: unknown, conf: unknown): void {
  if (typeof main !== 'string') throw new TypeError(`new Celery(${repr(main, 80)}): expected the name of the app`)
  if (plainObject(conf) !== null) {
    throw new TypeError(
      `new Celery('${main}', ${typeof conf === 'string' ? '...' : repr(conf, 80)}): expected settings, such as { broker_url: 'amqp://...' }`,
    )
  }
  const faults = Object.keys(conf as object).flatMap((name) => {
    const setting = settingFor(name)
    return setting === undefined ? [] : [`${name} is not a setting; write ${setting}`]
  })
  if (faults.length > 0) throw new TypeError(`new Celery('${main}'): ${faults.join('; ')}`)
}

/** The limits for a canvas, from the settings of an app. */
export function limitsIn(conf: Readonly<Record<string, unknown>>): CanvasLimits {
  const of = (name: string): number => {
    const given = conf[name]
    return typeof given === 'number' ? given : (ROWS.get(name)?.fallback as number)
  }
  return canvasLimits({
    worker_max_canvas_items: of('worker_max_canvas_items'),
    worker_max_canvas_nesting: of('worker_max_canvas_nesting'),
  })
}

function settingFor(name: string): string | undefined {
  if (ROWS.has(name)) return undefined
  if (Object.hasOwn(CONSTRUCTOR, name)) return CONSTRUCTOR[name]
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return snake !== name && ROWS.has(snake) ? snake : undefined
}
