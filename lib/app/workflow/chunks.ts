import { listSignature, type Signature as SignatureDict, taskSignature } from '../../canvas/signature.js'
import type { GroupResult } from '../groupResult.js'
import type { Group } from './combine.js'
import { Signature, type SignatureHome } from './signature.js'

/** The task that is called, its lists of arguments, and how many of them go into one message. */
export interface ChunksOf {
  readonly task: string
  readonly items: readonly (readonly unknown[])[]
  readonly size: number
}

/**
 * Calls of a task with many lists of arguments, several in each message: the return value of `task.chunks`. It is sent,
 * and takes part in a workflow, as the group of its messages; as JSON it is one call of `celery.chunks`, as in Python.
 * Mirrors Celery's `chunks`.
 */
export class Chunks<Result = unknown> extends Signature<readonly unknown[], Result[][], GroupResult<Result[][]>> {
  /** @internal */
  constructor(
    private readonly of: ChunksOf,
    home: SignatureHome,
    group: SignatureDict = groupOf(of),
  ) {
    super(group, home)
  }

  override get task(): string {
    return 'celery.chunks'
  }

  override get subtaskType(): null {
    return null
  }

  /** The group that the chunks are sent as. Mirrors Celery's `group`. */
  group(): Group<readonly unknown[], Result[][]> {
    return new Signature(this.canvas(), this.home) as Group<readonly unknown[], Result[][]>
  }

  /** Returns an independent copy. */
  override clone(): this {
    return new Chunks(this.of, this.home, this.canvas()) as this
  }

  /** Celery's form. Callbacks belong to the group, and are not included. */
  override toJSON(): SignatureDict {
    const { items, size, task } = this.of
    const { options } = this.canvas()
    return taskSignature('celery.chunks', [], { task: taskSignature(task), it: items, n: size }, options, true)
  }
}

function groupOf({ items, size, task }: ChunksOf): SignatureDict {
  const parts: SignatureDict[] = []
  for (let at = 0; at < items.length; at += size)
    parts.push(overMany('celery.starmap', task, items.slice(at, at + size)))
  return listSignature('group', parts)
}

/** One message that calls a task many times. Mirrors Celery's `xmap` and `xstarmap`. */
export function overMany(
  name: 'celery.map' | 'celery.starmap',
  task: string,
  items: readonly unknown[],
): SignatureDict {
  return taskSignature(name, [], { task: taskSignature(task), it: [...items] }, {}, true)
}
