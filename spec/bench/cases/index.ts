import type { Case } from '../findings.js'
import { burst } from './burst.js'
import { backlogGrowth, keyGrowth } from './growth.js'
import { hotKey } from './hotKey.js'
import { latency } from './latency.js'
import { logging } from './logging.js'
import { memory } from './memory.js'
import { noop } from './noop.js'
import { order } from './order.js'
import { packit } from './packit.js'
import { redisResults, rpcResults } from './results.js'
import { start } from './start.js'
import { hundredSlots, thousandSlots } from './waiting.js'

/** The table's lines, in its order. */
export const CASES: readonly Case[] = [
  noop,
  logging,
  redisResults,
  rpcResults,
  hundredSlots,
  thousandSlots,
  order,
  hotKey,
  packit,
  burst,
  latency,
  memory,
  start,
  backlogGrowth,
  keyGrowth,
]
