import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { run } from '../package/packed.js'
import { ROOT } from '../support/workerProgram.js'

// Whatever has no doc comment, or names what isn't exported, is a warning, and each warning is an error.
it('the API reference is made without a warning', async () => {
  const out = mkdtempSync(join(tmpdir(), 'celeriac-reference-'))
  try {
    const typedoc = [join(ROOT, 'node_modules/typedoc/bin/typedoc'), '--options', 'spec/reference/typedoc.json']
    const { code, stdout, stderr } = await run(process.execPath, [...typedoc, '--out', out], ROOT)
    expect({ code, said: `${stdout}${stderr}` }).toEqual({ code: 0, said: expect.not.stringMatching(/warning|error/) })
    for (const page of ['index.html', 'classes/index.Celery.html', 'functions/testing.runTask.html']) {
      expect([page, existsSync(join(out, page))]).toEqual([page, true])
    }
  } finally {
    rmSync(out, { recursive: true })
  }
})
