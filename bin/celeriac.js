#!/usr/bin/env node
import { heedEarly } from '../dist/cli/worker/earlySignals.js'

// Before all else is loaded: as process 1 of a container nobody but us ends this process.
const early = heedEarly({ source: process, exit: (code) => process.exit(code) })
const { main } = await import('../dist/cli/main.js')
const ending = main(process.argv.slice(2))
early.release()
process.exitCode = await ending
