import type { ContentLimits } from '../protocol/content/content.js'
import type { Settings } from './table.js'

/** Returns which message contents are accepted, and up to which size. */
export function contentLimits(settings: Settings): ContentLimits {
  return {
    accept: settings.accept_content,
    maxSize: settings.worker_max_message_size,
    maxNesting: settings.worker_max_message_nesting,
    maxItems: settings.worker_max_message_items,
    maxHeaders: settings.worker_max_message_headers,
  }
}
