import { isGroup, NESTED_LISTS, type Signature, type SignatureOptions } from './signature.js'
import { SignatureError } from './signatureError.js'

/**
 * Checks how many signatures the message of a task would carry. Those that occur at many places, such as the body that
 * each member of a header reports to, are one object here, but in a message each place has a copy of its own: groups
 * that follow one another make it grow fourfold with each of them. Stops at the limit, before anything is copied.
 * @param most the most signatures; bodies that members report to are counted apart, as those who read a message leave
 *   them out
 * @throws SignatureError that names the setting
 */
export function checkSentSize(task: string, options: SignatureOptions, most: number): void {
  const places = new Places(most)
  places.addFrom(options)
  if (!places.fit()) throw tooMany(task, most)
}

/**
 * Checks the error callbacks that each step of a chain is to get, before it gets them: the message of the first step
 * would carry those of all others. The same for those that are called for each task of a group.
 * @throws SignatureError that names the setting
 */
export function checkErrbacks(steps: readonly Signature[], errbacks: readonly Signature[], most: number): void {
  const [first, ...others] = steps
  if (first && others.length * errbacks.length > most) throw tooMany(first.task, most)
}

/**
 * Checks the groups that follow one another in a chain, before they become chords within chords: each but one of a single
 * task at least doubles the message, so that more of them than this can't fit, and each takes longer to be put there than
 * the one before.
 * @throws SignatureError that names the setting
 */
export function checkGroups(steps: readonly Signature[], most: number): void {
  const longest = Math.log2(most) + 1
  let inARow = 0
  for (const step of steps) {
    inARow = isGroup(step) && step.kwargs.tasks.length !== 1 ? inARow + 1 : 0
    if (inARow > longest) throw tooMany(steps[0]?.task ?? 'a chain', most)
  }
}

function tooMany(task: string, most: number): SignatureError {
  return new SignatureError(
    `what follows ${task}`,
    `would be sent as more signatures than the ${most} of worker_max_canvas_items`,
  )
}

class Places {
  private readonly left: unknown[] = []
  private signatures = 0
  private bodies = 0

  constructor(private readonly most: number) {}

  /** Returns false once there are too many. Bodies of members come as the message has them: unchecked. */
  fit(): boolean {
    while (this.left.length > 0 && this.signatures <= this.most && this.bodies <= this.most) {
      const sig = this.left.pop()
      if (isObject(sig)) this.addParts(sig)
    }
    return this.signatures <= this.most && this.bodies <= this.most
  }

  addFrom(options: SignatureOptions): void {
    for (const name of NESTED_LISTS) this.add(options[name])
    if (!isObject(options.chord)) return
    this.bodies++
    this.left.push(options.chord)
  }

  private addParts({ kwargs, options, subtask_type }: Partial<Signature>): void {
    if (isObject(options)) this.addFrom(options)
    if (!isObject(kwargs) || !subtask_type) return
    if (subtask_type === 'chord') {
      this.add(kwargs.header)
      this.add(kwargs.body)
    } else this.add(kwargs.tasks)
  }

  private add(given: unknown): void {
    if (!isObject(given)) return
    const list: unknown[] = Array.isArray(given) ? given : [given]
    this.signatures += list.length
    if (this.signatures <= this.most) for (const sig of list) this.left.push(sig)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
