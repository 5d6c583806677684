import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import ts from 'typescript'
import { ROWS } from '../../lib/settings/table.js'
import { ROOT } from '../support/workerProgram.js'

/** Within the repository, where the package's own name leads to what was built. */
const FILE = join(ROOT, 'build/hover.ts')
const SOURCE = `
import { Celery, Worker } from 'celeriac'
const app = new Celery('shop', { worker_prefetch_multiplier: 2, broker_heartbeat: 10, task_time_limit: 60 })
const worker = new Worker(app, { prefetchMultiplier: 2, maxTasksPerChild: 10, taskTimeLimit: 60, queues: ['a'] })
`

const HOST: ts.LanguageServiceHost = {
  getCompilationSettings: () => ({
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    paths: { celeriac: [join(ROOT, 'dist/index.d.ts')] },
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
  }),
  getScriptFileNames: () => [FILE],
  getScriptVersion: () => '1',
  getScriptSnapshot: (path) => {
    const text = path === FILE ? SOURCE : ts.sys.readFile(path)
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
  },
  getCurrentDirectory: () => ROOT,
  getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
  fileExists: (path) => path === FILE || ts.sys.fileExists(path),
  readFile: (path) => (path === FILE ? SOURCE : ts.sys.readFile(path)),
}
const service = ts.createLanguageService(HOST)

/** What an editor shows where the pointer is. */
function hover(word: string): string {
  const info = service.getQuickInfoAtPosition(FILE, SOURCE.indexOf(`${word}:`))
  const tags = (info?.tags ?? []).map(({ name, text }) => `@${name} ${ts.displayPartsToString(text)}`)
  return [ts.displayPartsToString(info?.displayParts), ts.displayPartsToString(info?.documentation), ...tags].join('\n')
}

describe('what an editor shows of a setting', () => {
  it.each([
    ['worker_prefetch_multiplier', 'worker_prefetch_multiplier', 'number'],
    ['broker_heartbeat', 'broker_heartbeat', 'number'],
    ['task_time_limit', 'task_time_limit', 'number'],
    ['maxTasksPerChild', 'worker_max_tasks_per_child', 'number'],
    ['taskTimeLimit', 'task_time_limit', 'number'],
  ])('%s is its type, its text and its default, from the table', (word, setting, type) => {
    const row = ROWS.get(setting)
    const shown = hover(word)
    expect(shown).toContain(`${word}?: ${type}`)
    expect(shown).toContain(row?.doc)
    expect(shown).toContain(`@default ${JSON.stringify(row?.fallback)}`)
  })

  it('is in the declarations for require as well', () => {
    const read = (path: string): string => readFileSync(join(ROOT, 'dist', path), 'utf8')
    expect(read('cjs/settings/appSettings.d.ts')).toBe(read('settings/appSettings.d.ts'))
    expect(read('cjs/worker/settingOptions.d.ts')).toBe(read('worker/settingOptions.d.ts'))
  })
})
