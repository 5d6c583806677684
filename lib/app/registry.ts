import type { Task } from './task.js'

/**
 * The tasks of an app, by name. Built-in tasks, which every app has, can be looked up but are not listed, as with
 * Celery.
 */
export class Registry implements Iterable<Task> {
  private readonly tasks = new Map<string, Task>()
  private readonly builtIn = new Map<string, Task>()

  /**
   * @throws TypeError if the name is taken: with two tasks of one name, the load order would decide what a message
   *   means
   */
  add(task: Task): Task {
    if (this.tasks.has(task.name)) throw new TypeError(`task ${task.name} is defined twice`)
    this.tasks.set(task.name, task)
    return task
  }

  /** Adds a task that every app has. A task of the app's own with the same name takes precedence. */
  addBuiltIn(task: Task): void {
    this.builtIn.set(task.name, task)
  }

  /** The task with that name; undefined if the app has none. */
  get(name: string): Task | undefined {
    return this.tasks.get(name) ?? this.builtIn.get(name)
  }

  [Symbol.iterator](): Iterator<Task> {
    return this.tasks.values()
  }
}
