import { alternate, type Entrant } from '../alternate.js'
import type { Launch } from '../contender.js'
import type { Case } from '../findings.js'
import { byRate, type RateQuantity, rateRows } from '../rate.js'
import { celeriac } from '../rivals/celeriac.js'
import { relay } from '../rivals/relay.js'
import { waits } from '../sources.js'
import type { Stand } from '../stand.js'
import type { Address } from '../workplace.js'

/*
 * What a fleet's mover costs for each message, beside the least that a program can do to move it. The only slot of the worker has a task that
 * takes longer than the case, so that it does nothing but move.
 */

const OURS = 'the mover'
const PLAIN = 'consume, confirmed publish, ack'
const LANES = 32
/** Of the mover. */
const IN_FLIGHT = 128
const FOR_EVER_MS = 3_600_000

export const mover: Case = {
  name: 'mover',
  title: `the mover of a fleet: keyed messages into ${LANES} lanes`,
  async run(stand) {
    const entrants = [
      byMoving(stand, OURS, 'lane', fleetOfOne),
      byMoving(stand, PLAIN, 'relay', relay({ lanes: LANES, prefetch: IN_FLIGHT })),
    ]
    const rounds = await alternate(entrants, stand.scale.rounds)
    return {
      rows: rateRows(entrants, rounds),
      figures: [
        {
          what: `processor time a message, mover / plain`,
          label: 'fleet: processor time of the mover',
          unit: 'x',
          target: { atMost: 1.5 },
          ...rounds.ratio(OURS, PLAIN, 'cpuUs'),
        },
        {
          what: `time a message, mover / plain`,
          label: 'fleet: time of the mover',
          unit: 'x',
          target: { atMost: 1.5 },
          ...rounds.ratio(PLAIN, OURS, 'rate'),
        },
      ],
    }
  },
}

function fleetOfOne(address: Address): Launch {
  const fleet = ['--fleet', address.queue]
  return celeriac(['-c', '1', '-l', 'WARNING', ...fleet], { BENCH_ORDER: 'on' })(address)
}

/** @param kind of the queues that are filled, in their names */
function byMoving(
  stand: Stand,
  name: string,
  kind: 'lane' | 'relay',
  launch: (address: Address) => Launch,
): Entrant<RateQuantity> {
  return {
    name,
    measure: async () => {
      let filled = ''
      const known = (address: Address): Launch => {
        filled = `${address.queue}.${kind}`
        return launch(address)
      }
      const measured = await byRate(stand, name, known, waits(FOR_EVER_MS)).measure()
      for (let lane = 0; lane < LANES; lane++) await stand.desk.deleteQueue(`${filled}.${lane}`)
      return measured
    },
  }
}
