import type { ContentLimits } from '../protocol/content/content.js'
import type { Settings } from './table.js'

/** What of a message's content is accepted, and how much of it. */
export function contentLimits(settings: Settings): ContentLimits {
  return {
    accept: settings.accept_content,
    maxSize: settings.worker_max_message_size,
    maxNesting: settings.worker_max_message_nesting,
    maxItems: settings.worker_max_message_items,
    maxHeaders: settings.worker_max_message_headers,
  }
}
