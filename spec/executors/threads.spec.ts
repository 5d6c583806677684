import { threadsPool } from '../../lib/executors/threads.js'
import { compiled } from './poolHarness.js'
import { describePool } from './poolSuite.js'

describePool('threads', (options) => threadsPool({ ...options, entry: compiled('threadMain.js') }))
