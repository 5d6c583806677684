import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { parseSync } from '@swc/core'
import { checkSync } from 'recheck'

const LIB = fileURLToPath(new URL('../lib', import.meta.url))

/** Files whose patterns see nothing from outside but what is short or the operator's own. */
const TRUSTED: Readonly<Record<string, string>> = {
  'amqp/queueKind.ts': "the broker's texts, which AMQP limits to 255 bytes",
  'app/importFile.ts': "the stack of the operator's own module, at the start",
  'app/signature.ts': "the text of the operator's own handlers",
  'health/page.ts': 'files of this package, at the start',
}
/** Files that make patterns of texts, which no reader of literals sees. */
const BUILDERS: Readonly<Record<string, string>> = {
  'backends/redisErrors.ts': 'a constant',
  'protocol/delay.ts': 'a constant',
}

interface Literal {
  readonly file: string
  readonly pattern: string
  readonly flags: string
}

const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(ts|js)$/.test(file))
const literals: Literal[] = []
const builders = new Set<string>()

for (const file of files) {
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { type, pattern, flags, callee } = node as Record<string, unknown>
    if (type === 'RegExpLiteral') literals.push({ file, pattern: String(pattern), flags: String(flags) })
    if ((type === 'NewExpression' || type === 'CallExpression') && (callee as { value?: unknown }).value === 'RegExp') {
      builders.add(file)
    }
    for (const child of Object.values(node)) walk(child)
  }
  walk(parseSync(readFileSync(join(LIB, file), 'utf8'), { syntax: 'typescript', target: 'es2023' }))
}

const seen = new Map(
  literals
    .filter(({ file }) => !(file in TRUSTED))
    .map((literal) => [`/${literal.pattern}/${literal.flags}`, literal] as const),
)

describe('the regular expressions of lib/', () => {
  beforeAll(() => {
    // The package's own engine, not one of the programs that it may bring along.
    process.env.RECHECK_BACKEND = 'pure'
  })

  it('are found', () => {
    expect(seen.size).toBeGreaterThan(50)
    expect(Object.keys(TRUSTED).filter((file) => !literals.some((literal) => literal.file === file))).toEqual([])
  })

  it('are written out, so that this spec sees them', () => {
    expect([...builders]).toEqual(Object.keys(BUILDERS))
  })

  it.each([...seen])('%s takes no longer than its input is long', (_text, { file, flags, pattern }) => {
    const found = checkSync(pattern, flags, { timeout: null })
    // An attack is shown where there is one.
    expect({ file, ...found }).toMatchObject({ file, status: 'safe' })
  })
})
