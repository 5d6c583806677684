import type { Case } from '../findings.js'
import { bodies } from './bodies.js'
import { burst } from './burst.js'
import { canvas } from './canvas.js'
import { events } from './events.js'
import { fleet } from './fleet.js'
import { backlogGrowth, keyGrowth } from './growth.js'
import { hotKey } from './hotKey.js'
import { installed } from './installed.js'
import { latency } from './latency.js'
import { logging } from './logging.js'
import { longRun } from './longRun.js'
import { memory } from './memory.js'
import { mover } from './mover.js'
import { noop } from './noop.js'
import { order } from './order.js'
import { packit } from './packit.js'
import { parked } from './parked.js'
import { redisResults, rpcResults } from './results.js'
import { start } from './start.js'
import { hundredSlots, thousandSlots } from './waiting.js'
import { wide } from './wide.js'

/** The table's lines, in its order. */
export const CASES: readonly Case[] = [
  noop,
  wide,
  bodies,
  logging,
  events,
  redisResults,
  rpcResults,
  canvas,
  hundredSlots,
  thousandSlots,
  order,
  hotKey,
  packit,
  fleet,
  mover,
  burst,
  latency,
  memory,
  parked,
  longRun,
  start,
  installed,
  backlogGrowth,
  keyGrowth,
]
