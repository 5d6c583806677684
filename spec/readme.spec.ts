import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { BAD_MESSAGE_REASONS } from '../lib/protocol/badMessage.js'
import { flagOf } from '../lib/settings/row.js'
import { ROWS } from '../lib/settings/table.js'

const SETTINGS = fileURLToPath(new URL('../lib/settings/README.md', import.meta.url))
const MESSAGES = fileURLToPath(new URL('../lib/protocol/README.md', import.meta.url))
const BEGIN = '<!-- settings: begin (written by spec/readme.spec.ts with UPDATE_README=1) -->'
const END = '<!-- settings: end -->'

/** The table of settings as the guide has it, read off the table in the code. */
function settingsTable(): string {
  const rows = [...ROWS].map(([name, row]) => {
    const { names, value } = flagOf(row)
    const flag = names.length === 0 ? '' : `\`${names.join(', ')}${value === null ? '' : ` ${value}`}\``
    const fallback = row.option && row.fallback === null ? '' : `\`${JSON.stringify(row.fallback)}\``
    const doc = row.inert === undefined ? row.doc : `${row.doc} *Accepted, without effect: ${row.inert}.*`
    return `| ${row.option ? '' : `\`${name}\``} | ${flag} | ${fallback} | ${doc.replaceAll('|', '\\|')} |`
  })
  return ['| setting | flag | default | |', '|---|---|---|---|', ...rows].join('\n')
}

describe('the guides', () => {
  it('have the settings as they are in the code', () => {
    const text = readFileSync(SETTINGS, 'utf8')
    const [before, rest = ''] = text.split(BEGIN)
    const [table, after] = rest.split(END)
    if (process.env.UPDATE_README === '1') {
      writeFileSync(SETTINGS, `${before}${BEGIN}\n${settingsTable()}\n${END}${after}`)
    } else expect(table?.trim()).toBe(settingsTable())
  })

  it('say of every reason for which a message is refused what becomes of it', () => {
    const text = readFileSync(MESSAGES, 'utf8')
    for (const reason of [...BAD_MESSAGE_REASONS, 'unregistered', 'order-key', 'deliveries']) {
      expect(text).toContain(`\`${reason}\``)
    }
  })
})
