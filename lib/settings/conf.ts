import type { AppSettings } from './appSettings.js'
import type { NameWithoutEffect } from './withoutEffect.js'

/**
 * Settings of an app under Celery's lower-case names, as `new Celery(name, conf)` takes them. Times are in seconds. Those of Celery's that
 * have no effect here may be given too.
 */
export type Conf = AppSettings & { readonly [Name in NameWithoutEffect]?: unknown }
