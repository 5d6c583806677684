import { alternate, type Entrant } from '../alternate.js'
import type { Launch } from '../contender.js'
import { whenEmpty } from '../drain.js'
import type { Case } from '../findings.js'
import { celeriac } from '../rivals/celeriac.js'
import { python } from '../rivals/python.js'
import { waits } from '../sources.js'
import type { Stand } from '../stand.js'
import { type Address, atWork } from '../workplace.js'

export const memory: Case = {
  name: 'memory',
  title: 'resident memory: idle with 16 slots, at work with 1,000',
  async run(stand) {
    const narrow = stand.scale.quick ? 160 : 500
    const entrants = [
      byMemory(stand, 'Celeriac -c 16', celeriac(['-c', '16', '-l', 'WARNING']), narrow),
      byMemory(stand, 'Celeriac -c 1000', celeriac(['-c', '1000', '-l', 'WARNING']), 5000),
      byMemory(stand, 'Celery prefork -c 16', python(['-P', 'prefork', '-c', '16', '-l', 'WARNING']), narrow),
    ]
    const rounds = await alternate(entrants, stand.scale.rounds)
    return {
      rows: entrants.flatMap(({ name }) => [
        { entrant: `${name}, idle`, unit: 'MB', ...rounds.of(name, 'idle') },
        { entrant: `${name}, at work`, unit: 'MB', ...rounds.of(name, 'working') },
      ]),
      figures: [
        {
          what: 'Celeriac -c 16, idle',
          label: 'memory, idle, with 16 slots',
          unit: 'MB',
          target: { atMost: 70 },
          ...rounds.of('Celeriac -c 16', 'idle'),
        },
        {
          what: 'Celeriac -c 1000, at work',
          label: 'memory with 1,000 slots',
          unit: 'MB',
          target: { atMost: 95 },
          ...rounds.of('Celeriac -c 1000', 'working'),
        },
      ],
      note: 'All processes of a worker together; what children share with their parent is counted once.',
    }
  },
}

/** Just after the start, and at the end of so many tasks of 100 ms, while the slots are still warm from them. */
function byMemory(
  stand: Stand,
  name: string,
  launch: (address: Address) => Launch,
  tasks: number,
): Entrant<'idle' | 'working'> {
  return {
    name,
    measure: () =>
      atWork(stand, launch, async (place) => {
        const idle = place.worker.memoryMb()
        await stand.desk.fill(place.queue, waits(100)(tasks))
        await whenEmpty(stand, place)
        return { idle, working: place.worker.memoryMb() }
      }),
  }
}
