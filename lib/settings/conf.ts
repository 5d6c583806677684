import type { AppSettings } from './appSettings.js'
import type { NameWithoutEffect } from './withoutEffect.js'

/**
 * Settings of an app under Celery's lower-case names, as `new Celery(name, conf)` takes them. Times are in seconds.
 * Celery's settings without effect here are accepted, too.
 */
export type Conf = AppSettings & { readonly [Name in NameWithoutEffect]?: unknown }
