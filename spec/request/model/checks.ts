import type { Line } from '../../../lib/line/line.js'
import type { Request } from '../../../lib/request/request.js'
import { type Held, inTheWay, isHere, isLeaving, isSettling, type Places } from './places.js'

/** What is compared: the line, and what ought to be. */
export interface Compared {
  readonly line: Line
  readonly places: Places
  /** `worker_order_depth_limit`. */
  readonly depthLimit: number
  now(): number
  /** Notes a fault if there is one. */
  fault(is: boolean, text: string): void
}

/** After each step: one running per key, what can run does, all that is in hand is held, and nothing else. */
export function checkAll({ depthLimit, fault, line, now, places }: Compared): void {
  const requests = new Map([...line.state.requests].map((request) => [request.delivery, request]))
  for (const held of places.held) {
    const request = requests.get(held.delivery)
    if (request) checkOne(held, request, { fault, line, now, places })
    else if (!isLeaving(held)) fault(true, `${held.message.id} is neither settled nor held`)
  }
  const running = places.held.filter((held) => held.run !== null || isSettling(held))
  running.forEach((one, at) => {
    for (const other of running.slice(at + 1)) {
      fault(inTheWay(one, other), `${one.message.id} and ${other.message.id} run side by side`)
    }
  })
  const kept = places.held.filter((held) => !isLeaving(held) || requests.has(held.delivery)).length
  fault(requests.size !== kept, `${requests.size} requests are kept of ${kept}`)
  fault(line.lanes.size !== places.lanes.size, `${line.lanes.size} lanes are kept of ${places.lanes.size}`)
  const parked = [...requests.values()].filter(({ state }) => state === 'parked').length
  fault(line.state.parked !== parked, `${line.state.parked} are counted as parked of ${parked}`)
  const waiting = new Map<string, number>()
  for (const { key, parkedFor } of requests.values()) {
    const root = key?.split('/')[0] ?? ''
    if (parkedFor === 'order') waiting.set(root, (waiting.get(root) ?? 0) + 1)
  }
  const excess = [...waiting.values()].reduce((sum, count) => sum + Math.max(0, count - depthLimit), 0)
  const counted = line.state.excessFrom('spec')
  fault(counted !== excess, `${counted} messages are counted as beyond the limit of ${excess}`)
}

function checkOne(
  held: Held,
  request: Request,
  { fault, line, now, places }: Pick<Compared, 'fault' | 'line' | 'now' | 'places'>,
): void {
  const { message } = held
  const says = `${message.id} is ${request.state}${request.parkedFor ? ` for ${request.parkedFor}` : ''}`
  const isHeldUp = places.before(held).length > 0
  switch (request.state === 'parked' ? request.parkedFor : request.state) {
    case 'running':
      fault(held.run === null && !isSettling(held) && !isLeaving(held), `${says}, but has ended`)
      break
    case 'ready':
      fault(!line.pool.full, `${says}, and a slot is free`)
      fault(isHeldUp, `${says} before its turn`)
      break
    case 'order':
      fault(!isHeldUp, `${says}, but nothing is in its way`)
      break
    case 'eta':
      fault((message.eta ?? 0) <= now(), `${says}, which has passed`)
      break
    case 'retry':
      fault(held.retryAt <= now(), `${says}, which is due`)
      break
    case 'rate':
      fault(message.task !== 'limited', `${says} without a limit`)
      fault(isHeldUp, `${says} before its turn`)
      break
    default:
      fault(true, says)
  }
}

/** At the end: of all that was held nothing is left, except what keeps a key shut. */
export function checkEmpty({ fault, line, places }: Compared, timers: number): void {
  const { requests, running } = line.state
  const left = { requests: requests.size, running: running.size, excess: line.state.excessFrom('spec'), timers }
  for (const [what, count] of Object.entries(left)) fault(count !== 0, `${count} ${what} are left`)
  fault(line.lanes.size !== places.lanes.size, `${line.lanes.size} lanes are left`)
}

/** When a run begins: it is the first of its key in the worker's hands, has a slot, and takes it from none before it. */
export function checkStart(held: Held, byDelivery: ReadonlyMap<unknown, Held>, compared: Compared): void {
  const { fault, line, places } = compared
  const { delivery, message } = held
  fault(held.run !== null, `${message.id} runs twice at once`)
  fault(!delivery.live, `${message.id} was begun after its connection was lost`)
  fault(line.state.running.size > line.pool.size, `${message.id} was begun without a slot`)
  const before = places.before(held).filter((other) => other.blocks || isHere(other))
  fault(before.length > 0, `${message.id} overtakes ${before.map((other) => other.message.id).join()}`)
  const kept = new Set([...line.state.requests].map((request) => request.delivery))
  for (const request of line.state.requests) {
    if (request.delivery.sequence >= delivery.sequence) break
    const other = byDelivery.get(request.delivery)
    const isFreed = request.parkedFor === 'order' && other !== undefined && places.isFree(other, kept)
    const isPassedOver = request.state === 'ready' || isFreed
    fault(isPassedOver, `${message.id} takes the slot of ${request.id}, which was delivered before it`)
  }
}
