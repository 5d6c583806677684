import type { Task } from './task.js'

/** The tasks of an app, by name. Those that every app has are found, and not listed, as with Celery. */
export class Registry implements Iterable<Task> {
  private readonly tasks = new Map<string, Task>()
  private readonly builtIn = new Map<string, Task>()

  /** @throws TypeError if the name is taken: two tasks of one name would make a message's meaning a matter of load order */
  add(task: Task): Task {
    if (this.tasks.has(task.name)) throw new TypeError(`task ${task.name} is defined twice`)
    this.tasks.set(task.name, task)
    return task
  }

  /** A task that every app has. One of the app's own of that name goes before it. */
  addBuiltIn(task: Task): void {
    this.builtIn.set(task.name, task)
  }

  /** The task of that name; undefined if the app has none. */
  get(name: string): Task | undefined {
    return this.tasks.get(name) ?? this.builtIn.get(name)
  }

  [Symbol.iterator](): Iterator<Task> {
    return this.tasks.values()
  }
}
