import { join } from 'node:path'
import { afterEach, expect, it } from '@jest/globals'
import { threadsPool } from '../../lib/executors/threads.js'
import { killAllPrograms, runProgram } from '../support/program.js'
import { ROOT } from '../support/workerProgram.js'
import { APP } from './poolHarness.js'
import { describePool } from './poolSuite.js'

describePool('threads', threadsPool)

afterEach(killAllPrograms)

it('outlives threads that are ended while they load', async () => {
  // Node 20 ends the whole process if such a thread was in the middle of requiring an ES module.
  const args = [join(ROOT, 'dist/executors/threadMain.js'), APP, '200']
  const program = runProgram(process.execPath, ['build/apps/endedThreads.js', ...args], { cwd: ROOT })
  await program.exited
  expect(program.stderr).toBe('')
  expect(program.stdout).toBe('200\n')
})
