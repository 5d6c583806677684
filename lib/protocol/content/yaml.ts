import { types } from 'node:util'
import type { DocumentOptions, ParseOptions, ScalarTag, SchemaOptions, Tags, ToStringOptions } from 'yaml'
import { lazily } from '../../lazily.js'
import { PlainDate, PlainDateTime, readDateTime, writeDateTime } from '../values.js'
import type { BodyLimits } from './bodyLimits.js'
import { toPlain } from './plain.js'
import { checkDocument, checkTokens } from './yamlScan.js'

const yaml = lazily<typeof import('yaml')>('yaml')

const MERGE = 'tag:yaml.org,2002:merge'
/**
 * For each key of such a mapping the library searches all keys before it. Python's reader returns pairs, which no task
 * accepts.
 */
const ORDERED = 'tag:yaml.org,2002:omap'
const POINTLESS = /^(-?\d+)(e|$)/
const TIME =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(\.\d*)?(?:[ \t]*(?:(Z)|([-+])(\d\d?)(?::(\d\d))?))?)?$/

/*
 * Python's writer leaves a string unquoted if its own reader takes it for a string. So an unquoted word must mean the
 * same here as there, or `12e3`, `08` and `y` would become numbers and booleans on the way.
 */
const SCALARS: readonly ScalarTag[] = [
  scalar(
    'null',
    /^(?:~|null|Null|NULL|)$/,
    (value) => value === null,
    () => null,
    () => 'null',
  ),
  scalar(
    'bool',
    /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
    (value) => typeof value === 'boolean',
    (text) => /^(?:yes|true|on)$/i.test(text),
    String,
  ),
  scalar(
    'int',
    /^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][\d_]*|0x[\da-fA-F_]+|[1-9][\d_]*(?::[0-5]?\d)+)$/,
    isInteger,
    readInteger,
    String,
  ),
  scalar(
    'float',
    /^(?:[-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]\d+)?|[-+]?\.\d[\d_]*(?:[eE][-+]\d+)?|[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
    (value) => typeof value === 'number' && !isInteger(value),
    readFloat,
    writeFloat,
  ),
  scalar(
    'timestamp',
    TIME,
    (value) => types.isDate(value) || value instanceof PlainDate || value instanceof PlainDateTime,
    readTime,
    writeTime,
  ),
]
const OPTIONS = {
  version: '1.1',
  schema: 'yaml-1.1',
  customTags: (tags: Tags): Tags => [...tags.filter((tag) => !isReplaced(tag)), ...SCALARS],
  merge: true,
  // As in JSON and in Python, the last one wins.
  uniqueKeys: false,
  // It would print a warning about a list used as a key; other warnings are handled here.
  logLevel: 'error',
  // It would look up the position of each error, and read the text again for that.
  prettyErrors: false,
} as const satisfies ParseOptions & SchemaOptions & DocumentOptions & { version: '1.1' }
const WRITING = {
  ...OPTIONS,
  // If merging is enabled the library writes the string `<<` unquoted, which Python can read only as a key.
  merge: false,
  customTags: (tags: Tags): Tags =>
    OPTIONS.customTags(tags).filter((tag) => typeof tag !== 'object' || tag.tag !== MERGE),
  // Each string is quoted, so that no reader takes one for something else; long ones are not folded.
  defaultStringType: 'QUOTE_DOUBLE',
  defaultKeyType: 'QUOTE_DOUBLE',
  doubleQuotedAsJSON: true,
  lineWidth: 0,
  aliasDuplicateObjects: false,
} as const satisfies ToStringOptions & SchemaOptions & { version: '1.1'; aliasDuplicateObjects: boolean }

/**
 * Decodes a YAML document whose tags Python's safe reader has. `datetime` and `date` become the same as in JSON,
 * `!!binary` a Buffer, `!!set` a Set.
 * @throws BadMessage if it exceeds the limits; another Error if it is not valid YAML
 */
export function readYaml(text: string, limits: BodyLimits): unknown {
  checkTokens(text, limits)
  const document = yaml().parseDocument(text, OPTIONS)
  const fault = document.errors[0] ?? document.warnings[0]
  if (fault) throw fault
  checkDocument(document, limits)
  // All aliases have been checked already.
  return document.toJS({ maxAliasCount: -1 })
}

/** @throws TypeError that names the place of a value that YAML, or Python's safe reader of it, can't express */
export function writeYaml(value: unknown): string {
  const plain = toPlain(value, { number: (number) => number, bigint: (integer) => integer, object: special })
  // Non-ASCII characters only occur in quoted strings. Python takes some of them as line ends, and refuses others.
  return yaml()
    .stringify(plain, WRITING)
    .replace(/[^\n -~]/gu, escaped)
}

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

function special(value: object): unknown {
  if (types.isUint8Array(value) || value instanceof PlainDate || value instanceof PlainDateTime) return value
  if (types.isDate(value)) {
    writeDateTime(value)
    return value
  }
  if ('text' in value && 'toJSON' in value) throw new TypeError(`a ${value.constructor.name} cannot be written as YAML`)
  return undefined
}

function scalar(
  name: string,
  test: RegExp,
  identify: (value: unknown) => boolean,
  resolve: (text: string) => unknown,
  write: (value: unknown) => string,
): ScalarTag {
  return {
    tag: `tag:yaml.org,2002:${name}`,
    default: true,
    test,
    identify,
    resolve,
    stringify: ({ value }) => write(value),
  }
}

/** As in JSON, a whole number is written as an integer, unless JavaScript itself uses an exponent. */
function isInteger(value: unknown): boolean {
  return typeof value === 'bigint' || (Number.isInteger(value) && Math.abs(Number(value)) < 1e21)
}

function isReplaced(tag: Tags[number]): boolean {
  return typeof tag === 'object' && (tag.tag === ORDERED || SCALARS.some((own) => own.tag === tag.tag))
}

function readInteger(text: string): number | bigint {
  const [, sign, digits = ''] = /^([-+]?)(.*)$/.exec(text.replaceAll('_', '')) ?? []
  if (digits.length > 4300) throw new TypeError('an integer of more than 4300 digits')
  const octal = /^0[0-7]+$/.test(digits)
  const size = digits.includes(':') ? sexagesimal(digits, BigInt) : BigInt(octal ? `0o${digits.slice(1)}` : digits)
  const value = sign === '-' ? -size : size
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function sexagesimal(text: string, read: typeof BigInt): bigint {
  return text.split(':').reduce((sum, part) => sum * 60n + read(part), 0n)
}

function readFloat(text: string): number {
  const lower = text.replaceAll('_', '').toLowerCase()
  if (lower.endsWith('nan')) return Number.NaN
  if (lower.endsWith('inf')) return lower.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  const sign = lower.startsWith('-') ? -1 : 1
  const parts = lower.replace(/^[-+]/, '').split(':')
  return sign * parts.reduce((sum, part) => sum * 60 + Number(part), 0)
}

/** Python reads a number as a float only if it has a point. */
function writeFloat(value: unknown): string {
  const number = Number(value)
  if (Number.isNaN(number)) return '.nan'
  if (!Number.isFinite(number)) return number > 0 ? '.inf' : '-.inf'
  return String(number).replace(POINTLESS, '$1.0$2')
}

/** Reads a time in YAML's syntax, which allows single digits, and spaces where ISO 8601 has none. */
function readTime(text: string): unknown {
  const [
    ,
    year,
    month = '',
    day = '',
    hour,
    minute,
    second,
    fraction = '',
    utc,
    sign,
    zoneHour = '',
    zoneMinute = '00',
  ] = TIME.exec(text) ?? []
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  if (hour === undefined) return new PlainDate(date)
  const zone =
    utc !== undefined ? '+00:00' : sign !== undefined ? `${sign}${zoneHour.padStart(2, '0')}:${zoneMinute}` : ''
  return readDateTime(`${date}T${hour.padStart(2, '0')}:${minute}:${second}${fraction === '.' ? '' : fraction}${zone}`)
}

function writeTime(value: unknown): string {
  return value instanceof PlainDate ? value.text : writeDateTime(value as Date | PlainDateTime)
}
