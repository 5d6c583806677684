import { randomUUID } from 'node:crypto'
import type { ChordPart, ChordStore } from '../ports.js'
import type { BodyCopy } from '../protocol/bodyCopy.js'
import { type ChordMember, decodeMember, encodeMember } from '../protocol/chordMember.js'
import { Recent } from './recent.js'

interface Entry {
  readonly place: number
  readonly state: string
  readonly text: string
}

interface Chord {
  size: number | null
  added: number
  /** The members that have ended, by id. */
  readonly members: Map<string, Entry>
  /** The member that completes the chord, and the name of that. */
  claim: { readonly id: string; readonly completion: string } | null
}

/**
 * Chords counted in the memory of the process; the most that are kept is as for results, the oldest are dropped first.
 */
export class MemoryChords implements ChordStore {
  private readonly chords: Recent<Chord>
  /** Which copy of a body runs, by the ids of its header and its own. */
  private readonly copies: Recent<Pick<BodyCopy, 'completion' | 'copy'>>

  constructor(most: number) {
    this.chords = new Recent(most)
    this.copies = new Recent(most)
  }

  async setSize(groupId: string, size: number): Promise<void> {
    this.of(groupId).size = size
  }

  async grow(groupId: string, by = 1): Promise<void> {
    this.of(groupId).added += by
  }

  async addPart({ groupId, groupIndex, id, state, result }: ChordPart): Promise<string | null> {
    const text = encodeMember({ id, state, result })
    const chord = this.of(groupId)
    if (chord.members.get(id)?.state !== 'SUCCESS')
      chord.members.set(id, { place: groupIndex ?? Number.POSITIVE_INFINITY, state, text })
    if (chord.size === null || chord.members.size !== chord.size + chord.added) return null
    chord.claim ??= { id, completion: randomUUID() }
    return chord.claim.id === id ? chord.claim.completion : null
  }

  async members(groupId: string): Promise<readonly ChordMember[]> {
    const entries = [...this.of(groupId).members.values()]
    return entries.sort(byPlace).map(({ text }) => decodeMember(text))
  }

  async close(groupId: string): Promise<void> {
    this.chords.delete(groupId)
  }

  async takeBody({ completion, copy, groupId, id }: BodyCopy): Promise<boolean> {
    const key = `${groupId}/${id}`
    const before = this.copies.get(key)
    const taken = before?.completion === completion ? before : { completion, copy }
    this.copies.set(key, taken)
    return taken.copy === copy
  }

  private of(groupId: string): Chord {
    const chord = this.chords.get(groupId) ?? { size: null, added: 0, members: new Map(), claim: null }
    this.chords.set(groupId, chord)
    return chord
  }
}

/** Members without a position come last, as redis sorts them: by their texts. */
function byPlace(one: Entry, other: Entry): number {
  if (one.place !== other.place) return one.place - other.place
  return one.text < other.text ? -1 : 1
}
