import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** What may be imported: `celeriac`, `celeriac/testing` and `celeriac/conformance`. */
const ENTRIES = ['index.ts', 'testing/index.ts', 'conformance/index.ts']
/** Names that are exported, with the declaration file that each is in. */
const exported = ENTRIES.flatMap((entry) => {
  const text = readFileSync(join(ROOT, 'lib', entry), 'utf8')
  return [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '(\..*)\.js'$/gm)].flatMap(([, names = '', file = '']) =>
    names
      .split(',')
      .filter((name) => name.trim() !== '')
      .map((name) => [name.replace('type', '').trim(), join(dirname(entry), file)] as const),
  )
})
const MEMBER =
  /^ {4}(?!readonly \[|private|protected|constructor|\[|#|\*|\/|\})((?:(?:readonly|static|abstract|get|set) )*)('?[\w~]+'?)/

/** The names of a declaration, its own first and then `Class.member`, that have no doc comment. */
function undocumented(name: string, file: string): string[] {
  const lines = readFileSync(join(ROOT, 'dist', `${file}.d.ts`), 'utf8').split('\n')
  const start = lines.findIndex((line) =>
    new RegExp(`^export (?:declare )?(?:abstract )?(?:class|interface|type|const|function) ${name}\\b`).test(line),
  )
  if (start < 0) return [`${name}: not found in ${file}`]
  const found: string[] = []
  const isDocumented = (at: number): boolean => lines[at - 1]?.trimEnd().endsWith('*/') ?? false
  if (!isDocumented(start)) found.push(name)
  if (!/\{$/.test(lines[start] ?? '')) return found
  let last = ''
  for (let at = start + 1; at < lines.length && lines[at] !== '}'; at++) {
    const [, , member = ''] = MEMBER.exec(lines[at] ?? '') ?? []
    // Of several overloads the first one has the comment.
    if (member !== '' && member !== last && !isDocumented(at)) found.push(`${name}.${member}`)
    if (member !== '') last = member
  }
  return found
}

describe('what the package exports', () => {
  it('is found', () => {
    expect(exported.length).toBeGreaterThan(35)
  })

  it.each(exported)('has a doc comment for each name and member: %s', (name, file) => {
    expect(undocumented(name, file)).toEqual([])
  })
})
