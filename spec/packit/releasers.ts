/** What has to be undone before the program may end, in whatever way it ends. */
export class Releasers {
  private undone: Array<() => Promise<void>> = []
  private releasing: Promise<Error[]> | null = null

  /** @returns undoes it now; does nothing if that has happened already */
  add(undo: () => Promise<void>): () => Promise<void> {
    this.undone.push(undo)
    return async () => {
      if (!this.undone.includes(undo)) return
      this.undone = this.undone.filter((other) => other !== undo)
      await undo()
    }
  }

  /** Undoes the rest, the last first; one failure doesn't keep the others. Calls share one run. */
  release(): Promise<Error[]> {
    this.releasing ??= this.undoAll()
    return this.releasing
  }

  private async undoAll(): Promise<Error[]> {
    const failures: Error[] = []
    for (let undo = this.undone.pop(); undo; undo = this.undone.pop()) {
      await undo().catch((thrown) => failures.push(thrown instanceof Error ? thrown : new Error(String(thrown))))
    }
    return failures
  }
}
