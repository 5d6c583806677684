import type { ChordPart, ChordStore, GroupStore } from '../ports.js'
import type { BodyCopy } from '../protocol/bodyCopy.js'
import type { ChordMember } from '../protocol/chordMember.js'
import type { ResultTuple } from '../protocol/result.js'
import type { Persistent } from './persistent.js'

/** Chords of a store that may be away for a while: calls that may be repeated are retried until they succeed. */
export class GuardedChords implements ChordStore {
  constructor(
    private readonly inner: ChordStore,
    private readonly persistent: Persistent,
  ) {}

  setSize(groupId: string, size: number): Promise<void> {
    return this.persistent.run(`the size of chord ${groupId} was not stored`, () => this.inner.setSize(groupId, size))
  }

  /** Tried once: after a failure it isn't known whether the call was counted. */
  grow(groupId: string, by?: number): Promise<void> {
    return this.inner.grow(groupId, by)
  }

  addPart(part: ChordPart): Promise<string | null> {
    return this.persistent.run(`the part of task ${part.id} in chord ${part.groupId} was not stored`, (isRepeated) =>
      this.inner.addPart(isRepeated ? { ...part, isRepeated } : part),
    )
  }

  members(groupId: string): Promise<readonly ChordMember[]> {
    return this.persistent.run(`the results of chord ${groupId} were not read`, () => this.inner.members(groupId))
  }

  close(groupId: string): Promise<void> {
    return this.persistent.run(`chord ${groupId} was not closed`, () => this.inner.close(groupId))
  }

  takeBody(body: BodyCopy): Promise<boolean> {
    return this.persistent.run(`it is not known whether the body ${body.id} of a chord has run`, () =>
      this.inner.takeBody(body),
    )
  }
}

/** Groups of such a store. */
export class GuardedGroups implements GroupStore {
  constructor(
    private readonly inner: GroupStore,
    private readonly persistent: Persistent,
  ) {}

  save(id: string, group: ResultTuple): Promise<void> {
    return this.persistent.run(`group ${id} was not saved`, () => this.inner.save(id, group))
  }

  restore(id: string): Promise<ResultTuple | null> {
    return this.persistent.run(`group ${id} was not read`, () => this.inner.restore(id))
  }

  delete(id: string): Promise<void> {
    return this.persistent.run(`group ${id} was not deleted`, () => this.inner.delete(id))
  }
}
