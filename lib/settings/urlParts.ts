/** Parts of a URL, without percent-encoding. Missing parts are empty. */
export interface UrlParts {
  /** In lower case, without `://`. */
  readonly scheme: string
  readonly username: string
  readonly password: string
  /** In lower case; an IPv6 address without brackets. */
  readonly hostname: string
  readonly port: number | null
  /** Without its leading slash. */
  readonly path: string
  readonly query: readonly (readonly [name: string, value: string])[]
}

const SCHEME = /^([a-z][\w+.-]*):\/\//i
const PLACE = /^(?:\[([^[\]]*)\]|([^[\]:]*))(?::(\d*))?$/
const ESCAPES = /(?:%[\da-f]{2})+/gi
/** Characters that are never in a host name, and are mistakes there. */
const NOT_IN_HOST = /[\s@\\^|<>"`{}]/

/**
 * Splits a URL as kombu's `url_to_parts` does: the user ends at the first colon, the password at the last `@` before
 * the path. The standard parser has other rules: it escapes characters of a password, and then nobody knows which ones
 * the operator has escaped.
 * @returns null if the text is not such a URL
 */
export function splitUrl(text: string): UrlParts | null {
  const url = text.replace(/[\t\r\n]/g, '')
  const [start, scheme] = SCHEME.exec(url) ?? []
  if (start === undefined || scheme === undefined) return null
  const rest = url.slice(start.length)
  const end = rest.search(/[/?#]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  const [beforeFragment = ''] = (end < 0 ? '' : rest.slice(end)).split('#', 1)
  const [path, query] = cut(beforeFragment, '?')
  const at = authority.lastIndexOf('@')
  const [username, password] = cut(authority.slice(0, Math.max(0, at)), ':')
  const place = placeOf(authority.slice(at + 1))
  if (place === null) return null
  return {
    scheme: scheme.toLowerCase(),
    username: unquote(username),
    password: unquote(password),
    ...place,
    path: unquote(path.replace(/^\//, '')),
    // As in Python, a name without a value is ignored.
    query: [...new URLSearchParams(query)].filter(([, value]) => value !== ''),
  }
}

/**
 * Decodes percent-encoding. A percent sign without two hexadecimal digits stands for itself, as in Python's `unquote`.
 */
export function unquote(part: string): string {
  return part.replace(ESCAPES, (escapes) => Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'))
}

function placeOf(text: string): Pick<UrlParts, 'hostname' | 'port'> | null {
  const found = PLACE.exec(text)
  if (!found) return null
  const [, inBrackets, bare = '', digits = ''] = found
  const hostname = unquote((inBrackets ?? bare).toLowerCase())
  const port = digits === '' ? null : Number(digits)
  if (NOT_IN_HOST.test(hostname) || (port !== null && port > 65_535)) return null
  return { hostname, port }
}

/** Returns the text before the first such sign, and what follows it. */
function cut(text: string, sign: string): readonly [before: string, after: string] {
  const at = text.indexOf(sign)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
