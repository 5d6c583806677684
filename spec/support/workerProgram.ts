import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { type Program, runProgram } from './program.js'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Starts the built command as an operator would, and waits until it consumes. */
export async function startWorkerProgram(options: {
  brokerUrl: string
  resultBackend?: string
  app?: string
  args: readonly string[]
  env?: Record<string, string>
}): Promise<Program> {
  const program = runProgram(
    process.execPath,
    [
      'bin/celeriac.js',
      '-A',
      options.app ?? 'build/apps/steps.js',
      '-b',
      options.brokerUrl,
      ...(options.resultBackend === undefined ? [] : ['--result-backend', options.resultBackend]),
      'worker',
      '-l',
      'INFO',
      // Programs of several specs run beside each other, and a node's name has to be its own.
      '-n',
      `w${randomUUID().slice(0, 8)}@%h`,
      // Nothing of a spec's listens at an address that others may want.
      ...(options.args.some((arg) => arg.startsWith('--http')) ? [] : ['--without-http']),
      ...options.args,
    ],
    { cwd: ROOT, env: { ...process.env, ...options.env } },
  )
  await program.waitForOutput(/ ready\.$/m)
  return program
}
