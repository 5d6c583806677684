import { it } from '@jest/globals'
import { createDisabledBackend } from '../../lib/backends/disabled.js'
import { testBackend } from '../../lib/conformance/backend.js'

testBackend(it, { name: 'disabled://', create: createDisabledBackend, reads: false })
