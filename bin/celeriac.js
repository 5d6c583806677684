#!/usr/bin/env node
const args = process.argv.slice(2)
if (args.length === 1 && args[0] === '--version') {
  // Scripts and health checks ask for it all the time, and nothing has to be loaded for it.
  // Whoever reads it may go, as in main.
  process.stdout.on('error', () => undefined)
  const { readFileSync } = await import('node:fs')
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(`${version} (celeriac)\n`)
} else {
  // Before all else is loaded: as process 1 of a container nobody but us ends this process.
  const { heedEarly } = await import('../dist/cli/worker/earlySignals.js')
  const early = heedEarly({ source: process, exit: (code) => process.exit(code) })
  const { main } = await import('../dist/cli/main.js')
  const ending = main(args)
  early.release()
  process.exitCode = await ending
}
