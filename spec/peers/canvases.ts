import { randomUUID } from 'node:crypto'
import type { Random } from '../packit/random.js'

/** A signature as Python writes it. */
export type Dict = Record<string, unknown>

const sig = (task: string, args: readonly unknown[] = [], options: Dict = {}): Dict => ({
  ...{ task, args, kwargs: {}, options, subtask_type: null, immutable: false },
})

export const task = (label: string): Dict => sig('canvas.join', [label])
export const failing = (): Dict => sig('canvas.fail')
export const chain = (...tasks: Dict[]): Dict => ({ ...sig('celery.chain'), kwargs: { tasks }, subtask_type: 'chain' })
export const group = (...tasks: Dict[]): Dict => ({ ...sig('celery.group'), kwargs: { tasks }, subtask_type: 'group' })
export const chord = (header: Dict[], body: Dict): Dict => ({
  ...{ ...sig('celery.chord'), kwargs: { kwargs: {}, header, body }, subtask_type: 'chord' },
})

/** Forms that each say something of their own, and whose end every version of Celery comes to. */
export const FORMS: Readonly<Record<string, Dict>> = {
  chain: chain(task('a'), task('b'), task('c')),
  'a chain of chains': chain(chain(task('a'), task('b')), chain(task('c'), task('d'))),
  group: group(task('a'), task('b'), task('c')),
  'a chain that ends in a group': chain(task('a'), group(task('b'), task('c'))),
  'a group within a chain': chain(task('a'), group(task('b'), task('c')), task('d')),
  'two groups within a chain': chain(group(task('a'), task('b')), task('c'), group(task('d'), task('e')), task('f')),
  chord: chord([task('a'), task('b'), task('c')], task('d')),
  'a chord of chains': chord([chain(task('a'), task('b')), chain(task('c'), task('d')), task('e')], task('f')),
  'a chord with a chain for a body': chord([task('a'), task('b')], chain(task('c'), task('d'))),
  'a chord of chords': chord([chord([task('a'), task('b')], task('c')), task('d')], task('e')),
  'a chord within a chain': chain(task('a'), chord([task('b'), task('c')], task('d')), task('e')),
  'a chain of groups of chains': chain(
    group(chain(task('a'), task('b')), task('c')),
    group(chain(task('d'), task('e')), task('f')),
    task('g'),
  ),
  'a failure in a chain': chain(task('a'), failing(), task('b')),
  'a failure in a header': chord([task('a'), failing()], task('b')),
  'a failure in a header of chains': chord([chain(failing(), task('a')), task('b')], chain(task('c'), task('d'))),
  'a failure of a body': chord([task('a'), task('b')], failing()),
}

/** A canvas, up to three within one another, with error callbacks and tasks that others take the place of. */
export function randomCanvas(random: Random, depth = 3): Dict {
  const made = randomForm(random, depth)
  return random.chance(0.15) ? { ...made, errbacks: [sig('canvas.caught')] } : made
}

function randomForm(random: Random, depth: number): Dict {
  const kind = random.next()
  if (depth === 0 || kind < 0.25) return random.chance(0.07) ? failing() : task(String(random.integer(0, 100)))
  const one = (): Dict => randomCanvas(random, depth - 1)
  const some = (least: number): Dict[] => Array.from({ length: random.integer(least, 4) }, one)
  if (kind < 0.35) return { ...sig('canvas.replace', [one()]), immutable: true }
  if (kind < 0.55) return chain(...some(2))
  if (kind < 0.7) return group(...some(2))
  if (kind < 0.8) return chain(task('first'), group(...some(2)), one())
  return chord(some(1), one())
}

/** The same canvas, each of its tasks, and of its error callbacks, made something else. */
export function mapTasks(dict: Dict, change: (task: Dict) => Dict): Dict {
  const each = (list: unknown): Dict[] => (list as Dict[]).map((one) => mapTasks(one, change))
  const mapped = dict.errbacks ? { ...dict, errbacks: (dict.errbacks as Dict[]).map(change) } : dict
  const { body, header, tasks } = dict.kwargs as { tasks?: Dict[]; header?: Dict[]; body?: Dict }
  if (tasks) return { ...mapped, kwargs: { tasks: each(tasks) } }
  if (header && body) {
    return { ...mapped, kwargs: { kwargs: {}, header: each(header), body: mapTasks(body, change) } }
  }
  return change(dict.task === 'canvas.replace' ? { ...mapped, args: each(dict.args) } : mapped)
}

/** The same canvas, each of its tasks sent to a queue, its error callbacks under ids of their own, which `ids` gets. */
export function spread(dict: Dict, queueOf: () => string, ids: string[] = []): Dict {
  return mapTasks(dict, (sig) => {
    const options = { ...(sig.options as Dict), queue: queueOf() }
    if (sig.task === 'canvas.caught') {
      const task_id = randomUUID()
      ids.push(task_id)
      return { ...sig, options: { ...options, task_id } }
    }
    return { ...sig, options }
  })
}

/** Whether such steps follow one another somewhere in a canvas, by what their tasks are called: `celery.group` for a group. */
export function hasSteps(dict: Dict, ...names: readonly string[]): boolean {
  const parts = dict.kwargs as { tasks?: Dict[]; header?: Dict[]; body?: Dict }
  const { body, header = [], tasks = [] } = parts
  const replacements = dict.task === 'canvas.replace' ? (dict.args as Dict[]) : []
  const within = [...tasks, ...header, ...replacements, ...(body ? [body] : [])]
  const steps = stepsOf(dict).map(({ task }) => task)
  const isThere = steps.some((_, at) => names.every((name, further) => steps[at + further] === name))
  return isThere || within.some((one) => hasSteps(one, ...names))
}

/** Whether a member of some header ends with a group, whose tasks then count for the chord. */
export function hasMemberOfMany(dict: Dict): boolean {
  const { body, header = [], tasks = [] } = dict.kwargs as { tasks?: Dict[]; header?: Dict[]; body?: Dict }
  const replacements = dict.task === 'canvas.replace' ? (dict.args as Dict[]) : []
  const within = [...tasks, ...header, ...replacements, ...(body ? [body] : [])]
  return header.some(endsWithGroup) || within.some(hasMemberOfMany)
}

function endsWithGroup(dict: Dict): boolean {
  const { body } = dict.kwargs as { body?: Dict }
  const last = dict.task === 'canvas.replace' ? (dict.args as Dict[])[0] : (body ?? stepsOf(dict).at(-1))
  return dict.task === 'celery.group' || (last !== undefined && last !== dict && endsWithGroup(last))
}

function stepsOf(dict: Dict): Dict[] {
  if (dict.task !== 'celery.chain') return [dict]
  return (dict.kwargs as { tasks: Dict[] }).tasks.flatMap(stepsOf)
}
