import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { main } from '../../lib/cli/main.js'
import { COMMANDS } from '../../lib/control/commands/index.js'
import { flagOf } from '../../lib/settings/row.js'
import { ROWS } from '../../lib/settings/table.js'
import { fakeIo } from '../support/fakeIo.js'

const ZSH = fileURLToPath(new URL('completion.zsh', import.meta.url))
/** A line as readline splits it: at blanks and at equals signs. */
const BASH = `
source "$1"
complete -p celeriac >/dev/null || exit 1
read -ra COMP_WORDS <<<"\${2//=/ = }"
[[ $2 == *[\\ =] && $2 != *= ]] && COMP_WORDS+=('')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_celeriac
printf '%s\\n' "\${COMPREPLY[@]}"
`

/** What each shell offers for a line, sorted, without what it says about it. */
const SHELLS = {
  bash: ['bash', '--norc', '-c', BASH, 'bash'],
  zsh: ['zsh', '-f', ZSH],
  fish: ['fish', '--no-config', '-c', 'source $argv[1]; complete -C "$argv[2]"'],
} as const

async function scriptOf(shell: string): Promise<string> {
  let text = ''
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  // Settings that no command would start with have no say in it.
  expect(await main(['completion', shell], fakeIo({ stdout, env: { CELERY_BROKER_URL: 'nonsense' } }))).toBe(0)
  return text
}

describe.each(['bash', 'zsh', 'fish'] as const)('the completion of %s', (shell) => {
  let directory: string
  let script: string

  const offered = (line: string): string[] => {
    const [file, ...args] = SHELLS[shell]
    const said = execFileSync(file, [...args, script, line], { cwd: directory, encoding: 'utf8' })
    const words = said.split('\n').map((text) => text.split('\t')[0]?.replace(/^--?\w[\w-]*=(?=.)/, '') ?? '')
    return [...new Set(words)].filter((word) => word !== '').sort()
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'celeriac-completion-'))
    mkdirSync(join(directory, 'cwd'))
    script = join(directory, `celeriac.${shell}`)
    writeFileSync(script, await scriptOf(shell))
    directory = join(directory, 'cwd')
    writeFileSync(join(directory, 'app.mjs'), '')
  })

  afterAll(() => rmSync(join(directory, '..'), { recursive: true }))

  it('offers the commands, and their own words', () => {
    expect(offered('celeriac wor')).toEqual(['worker'])
    expect(offered('celeriac ')).toEqual(expect.arrayContaining(['call', 'completion', 'inspect', 'worker']))
    expect(offered('celeriac list ')).toEqual(['bindings', 'help'])
    expect(offered('celeriac completion ')).toEqual(['bash', 'fish', 'zsh'])
    for (const kind of ['inspect', 'control'] as const) {
      const names = COMMANDS.filter((command) => command.kind === kind).map(({ name }) => name)
      expect(offered(`celeriac ${kind} `)).toEqual(names)
    }
  })

  it('offers every option of the table where it belongs', () => {
    for (const [place, isGlobal] of [
      ['', true],
      ['worker ', false],
    ] as const) {
      const rows = [...ROWS.values()].filter(({ flag, group }) => flag && (group === undefined) === isGlobal)
      const names = rows.flatMap((row) => flagOf(row).names.find((name) => name.startsWith('--')) ?? [])
      expect(offered(`celeriac ${place}--`)).toEqual(expect.arrayContaining(names))
    }
    expect(offered('celeriac purge --exc')).toEqual(['--exclude-queues'])
    expect(offered('celeriac --conc')).toEqual([])
  })

  it('offers the words that an option takes, files, or nothing', () => {
    expect(offered('celeriac worker --pool ')).toEqual(expect.arrayContaining(['async', 'prefork', 'solo']))
    expect(offered('celeriac worker --pool=pre')).toEqual(['prefork'])
    expect(offered('celeriac worker -P pre')).toEqual(['prefork'])
    expect(offered('celeriac -A ')).toEqual(['app.mjs'])
    expect(offered('celeriac worker --logfile a')).toEqual(['app.mjs'])
    expect(offered('celeriac worker -Q ')).toEqual([])
    expect(offered('celeriac init ')).toEqual(['app.mjs'])
  })

  it('takes no value of an option for a command', () => {
    expect(offered('celeriac -A worker ins')).toEqual(['inspect'])
    expect(offered('celeriac -A app.mjs worker -Q list --conc')).toEqual(['--concurrency'])
    expect(offered('celeriac --app=app.mjs worker --conc')).toEqual(['--concurrency'])
  })
})
