import { createDisabledBackend } from '../../lib/backends/disabled.js'
import { describeBackend } from '../conformance/backend.js'

describeBackend({ name: 'disabled://', create: createDisabledBackend, reads: false })
