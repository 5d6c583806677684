/** AMQP's reply codes: why a broker closes a channel or a connection. */
export const REPLY_CODE = {
  CONTENT_TOO_LARGE: 311,
  ACCESS_REFUSED: 403,
  NOT_FOUND: 404,
  RESOURCE_LOCKED: 405,
  /** The queue or exchange exists with other arguments, or can't have these. */
  PRECONDITION_FAILED: 406,
  FRAME_ERROR: 501,
  SYNTAX_ERROR: 502,
  /** For example, an exchange type that the broker doesn't have. */
  COMMAND_INVALID: 503,
  NOT_ALLOWED: 530,
  NOT_IMPLEMENTED: 540,
  INTERNAL_ERROR: 541,
} as const

/** Whether the broker has given one of these reasons. */
export function isReply(thrown: unknown, ...reasons: ReadonlyArray<keyof typeof REPLY_CODE>): boolean {
  const code = (thrown as { readonly code?: unknown } | null | undefined)?.code
  return reasons.some((reason) => REPLY_CODE[reason] === code)
}
