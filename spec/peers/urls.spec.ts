import { execFileSync } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'
import { parseRedisUrl } from '../../lib/backends/redisUrl.js'
import { parseBrokerUrl } from '../../lib/settings/brokerUrl.js'
import { splitUrl } from '../../lib/settings/urlParts.js'
import { PYTHON } from '../support/peers.js'

/** Reads URLs as kombu does, and a Redis URL's database as Celery's backend does; null for what they refuse. */
const SCRIPT = `
import json, sys
from kombu.utils.url import url_to_parts
def read(url):
    try:
        scheme, host, port, user, password, path, query = url_to_parts(url)
    except ValueError:
        return None
    return dict(scheme=scheme, username=user or '', password=password or '', hostname=host or '', port=port, path=path or '',
                query=[list(pair) for pair in query.items()])
def database(url):
    from celery import Celery
    try:
        return Celery(backend=url, set_as_current=False).backend.connparams['db']
    except ValueError:
        return None
given = json.load(sys.stdin)
print(json.dumps([[read(url) for url in given['urls']], [database(url) for url in given['databases']]]))
`

const HOSTS = ['h', 'Rabbit.Example:1234', '[::1]:5673', 'my_host', ':5672', '', 'h:', 'h:0', '10.0.0.1', 'h%41x', 'hö']
const PATHS = ['', '/', '//', '/v', '/%2f', '/a/b', '/v?heartbeat=5&x=', '/a%^b', '/50%', '/v#f', '?a=b%zz+c']
const REFUSED = [
  'amqp://u:p@h:99999',
  'amqp://u:p@h:abc',
  'amqp://[::1/x',
  'amqp://u:se/cret@h',
  'amqp://u:a#b@h',
  'amqp://::1',
]
const DATABASES = ['', '/', '/0', '/6', '/6/', '/0/', '//6', '/%36', '//6//', '/x', '/0/x']

/** Signs that the standard parser, Python's or both have rules for. */
const SIGNS = [...'a0%%%^:@!$&()*+,=~|<>{}"`\\ -_.é😀', '%40', '%2F', '%zz', '%C3%A9', '%ff', '%e2%82', '%25']

/** Texts that differ with each run of this spec no more than with each reading of it: a small generator of its own. */
function passwords(count: number): string[] {
  let seed = 20_261_128
  const next = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((seed / 2 ** 31) * below)
  }
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + next(8) }, () => SIGNS[next(SIGNS.length)] ?? '').join(''),
  )
}

const urls = [
  ...['50%=off', 'a%^b', 'pa%zz%40x'].map((password) => `amqp://u:${password}@h`),
  ...passwords(400).map((password, at) => `amqp://u${at}:${password}@h/v`),
  ...passwords(200).map((user) => `amqp://${user}@h//`),
  ...passwords(100).map((path) => `amqp://u:p@h/${path}`),
  ...HOSTS.flatMap((host) => PATHS.flatMap((path) => [`amqp://${host}${path}`, `pyamqp://jo%40e:50%^@${host}${path}`])),
  ...REFUSED,
]
const databases = DATABASES.map((path) => `redis://h:6379${path}`)

describe('URLs, beside Python', () => {
  const output = execFileSync(PYTHON, ['-c', SCRIPT], { input: JSON.stringify({ urls, databases }) })
  const [parts, numbers] = JSON.parse(output.toString()) as [unknown[], (number | null)[]]

  it('are taken apart as kombu does, user, password, host, port, path and query', () => {
    expect(parts.filter((each) => each !== null).length).toBeGreaterThan(800)
    const differing = urls
      .map((url, at) => ({ url, ours: splitUrl(url), theirs: parts[at] }))
      .filter(({ ours, theirs }) => JSON.stringify(ours) !== JSON.stringify(theirs))
    expect(differing).toEqual([])
  })

  it('are refused where kombu refuses them', () => {
    for (const url of REFUSED) expect(() => parseBrokerUrl(url)).toThrow(TypeError)
    expect(REFUSED.map((url) => parts[urls.indexOf(url)])).toEqual(REFUSED.map(() => null))
  })

  it('name the database that Celery finds in them', () => {
    const ours = databases.map((url) => {
      try {
        return parseRedisUrl(url).db
      } catch {
        return null
      }
    })
    expect(ours).toEqual(numbers)
  })
})
