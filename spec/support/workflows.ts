import {
  type AnyResult,
  type AnySignature,
  type Celery,
  chain,
  chord,
  type DeclaredTask,
  group,
} from '../../lib/index.js'

type Numbers = readonly number[]

/** The tasks of `workflowTasks.ts` and `spec/peers/workflows.py`, whose messages go to the queues in turn. */
export function workflowTasks(app: Celery, queues: readonly string[]) {
  let turn = 0
  const sent = <Sig extends AnySignature>(sig: Sig): Sig => {
    sig.set({ queue: queues[turn++ % queues.length] ?? 'celery' })
    return sig
  }
  const at = <Args extends readonly unknown[], Result>(task: DeclaredTask<Args, Result>) => task
  return {
    sent,
    add: at(app.declare<(x: number, y: number) => number>('wf.add')),
    double: at(app.declare<(n: number) => number>('wf.double')),
    sum: at(app.declare<(numbers: Numbers) => number>('wf.sum')),
    echo: at(app.declare<(...args: unknown[]) => unknown[]>('wf.echo')),
    fail: at(app.declare<(text: string) => number>('wf.fail')),
    sleep: at(app.declare<(seconds: number) => null>('wf.sleep')),
    caught: at(app.declare<(id: string) => string>('wf.caught')),
  }
}

type Tasks = ReturnType<typeof workflowTasks>
interface Sent {
  delay(): Promise<AnyResult>
}

/** Workflows of each form, and what they give wherever their tasks run. */
export const WORKFLOWS: ReadonlyArray<readonly [name: string, build: (tasks: Tasks) => Sent, gives: unknown]> = [
  ['a task', ({ add, sent }) => sent(add.s(1, 2)), 3],
  [
    'a chain of five',
    ({ add, double, sent }) =>
      chain(sent(add.s(1, 2)), sent(double.s()), sent(add.s(4)), sent(double.s()), sent(double.s())),
    40,
  ],
  [
    'a chain with a step that takes nothing',
    ({ add, double, sent }) => chain(sent(add.s(1, 2)), sent(add.si(5, 5)), sent(double.s())),
    20,
  ],
  ['a group', ({ add, double, sent }) => group(sent(add.s(1, 2)), sent(double.s(4))), [3, 8]],
  [
    'groups in a group',
    ({ add, double, sent }) => group(sent(add.s(1, 2)), group(sent(double.s(4)), group(sent(double.s(5))))),
    [3, 8, 10],
  ],
  [
    'groups in the header of a chord',
    ({ double, echo, sent }) =>
      chord([group([1, 2, 3].map((n) => sent(double.s(n)))), group([sent(double.s(4))])], sent(echo.s())),
    [[2, 4, 6, 8]],
  ],
  [
    'a group in a group before something',
    ({ double, echo, sent }) =>
      chain(group(sent(double.s(1)), group(sent(double.s(2)), sent(double.s(3)))), sent(echo.s())),
    [[2, 4, 6]],
  ],
  [
    'a group of chains',
    ({ add, double, sent }) => group([1, 2, 3].map((n) => chain(sent(add.s(n, n)), sent(double.s())))),
    [4, 8, 12],
  ],
  [
    'a chain that ends in a group',
    ({ add, double, sent }) => chain(sent(add.s(1, 2)), group(sent(double.s()), sent(add.s(1)))),
    [6, 4],
  ],
  ['a chord', ({ add, double, sent, sum }) => chord([sent(add.s(1, 2)), sent(double.s(4))], sent(sum.s())), 11],
  [
    'a chord of chains',
    ({ add, double, sent, sum }) =>
      chord(
        [1, 2, 3].map((n) => chain(sent(add.s(n, n)), sent(double.s()))),
        sent(sum.s()),
      ),
    24,
  ],
  [
    'a group in the middle of a chain',
    ({ add, double, sent, sum }) =>
      chain(sent(add.s(1, 2)), group(sent(double.s()), sent(add.s(10))), sent(sum.s()), sent(double.s())),
    38,
  ],
  [
    'a chord whose body is a chain',
    ({ add, double, sent, sum }) =>
      chord([sent(add.s(1, 2)), sent(double.s(4))], chain(sent(sum.s()), sent(double.s()))),
    22,
  ],
  [
    'a chord whose body is a group',
    ({ add, double, echo, sent, sum }) =>
      chord([sent(add.s(1, 2)), sent(double.s(4))], group(sent(sum.s()), sent(echo.s()))),
    [11, [[3, 8]]],
  ],
  [
    'a chord of chords',
    ({ add, sent, sum }) =>
      chord([chord([sent(add.s(1, 2)), sent(add.s(3, 4))], sent(sum.s())), sent(add.s(5, 6))], sent(sum.s())),
    21,
  ],
  [
    'chains of groups of chains',
    ({ add, double, sent, sum }) =>
      chain(
        group(
          chain(sent(add.s(1, 2)), sent(double.s())),
          chain(sent(add.s(3, 4)), group(sent(double.s()), sent(add.s(1))), sent(sum.s())),
        ),
        sent(sum.s()),
        sent(double.s()),
      ),
    2 * (6 + 14 + 8),
  ],
  ['a map', ({ double, sent }) => sent(double.map([1, 2, 3])), [2, 4, 6]],
  [
    'a starmap',
    ({ add, sent }) =>
      sent(
        add.starmap([
          [1, 2],
          [3, 4],
        ]),
      ),
    [3, 7],
  ],
  [
    'chunks',
    ({ add, sent }) =>
      sent(
        add.chunks(
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
          2,
        ),
      ),
    [[3, 7], [11]],
  ],
]
