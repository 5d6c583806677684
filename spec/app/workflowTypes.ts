import {
  type AnyResult,
  type AnySignature,
  type AsyncResult,
  Celery,
  chain,
  chord,
  type GroupResult,
  group,
} from '../../lib/index.js'

/*
 * What the types promise to those who build workflows. Nothing here runs: `npm run typecheck` compiles it, and an expectation that isn't met,
 * or an error that isn't there, fails it.
 */

type Equal<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false
/** Compiles only for a handle of exactly this type. */
function gives<Wanted>() {
  return <Found>(_: Promise<Found>, ..._same: Equal<Found, Wanted> extends true ? [] : [never]): void => undefined
}

const app = new Celery('types')
const fetch = app.task('fetch', (url: string, depth = 1) => ({ url, depth, body: 'text' }))
const words = app.task('words', (page: { body: string }) => page.body.split(' '))
const count = app.task('count', (list: readonly string[], least: number) => list.length + least)
const half = app.declare<(n: number) => number>('half')
const show = app.task('show', async (n: number, unit: string) => `${n} ${unit}`)
const add = app.task('add', (x: number, y: number) => x + y)
const sum = app.task('sum', (all: readonly number[]) => all.reduce((one, other) => one + other, 0))
const note = app.task('note', () => undefined)
const find = app.task('find', (n: number) => (n > 0 ? n : null))
const all = app.task('all', (...parts: string[]) => parts.length)
const byName = app.task('byName', { kwargs: true }, ({ n }: { n: number }) => n)

/** Five steps without a cast. */
export function steps(): void {
  const five = chain(fetch.s('http://a'), words.s(), count.s(3), half.s(), show.s('words'))
  gives<AsyncResult<string>>()(five.delay())
  gives<AsyncResult<string>>()(chain(fetch.s(), words.s(), count.s(3), half.s(), show.s('words')).delay('http://a'))
  gives<AsyncResult<string>>()(
    fetch.s('http://a').pipe(words.s()).pipe(count.s(3)).pipe(half.s()).pipe(show.s('words')).delay(),
  )
  // @ts-expect-error: the third takes a list of texts, and a number
  chain(fetch.s('http://a'), words.s(), count.s('3'), half.s(), show.s('words'))
  // @ts-expect-error: the third gets a list, and takes a number
  chain(fetch.s('http://a'), words.s(), half.s(), half.s(), show.s('words'))
  // @ts-expect-error: the third takes two arguments, and gets one
  chain(fetch.s('http://a'), words.s(), count.s(), half.s())
  // @ts-expect-error: the third has both of its arguments already
  chain(fetch.s('http://a'), words.s(), count.s(['a'], 3), half.s())
  // @ts-expect-error: what may be null is no number
  chain(find.s(1), half.s())
  // @ts-expect-error: the same by pipe
  find.s(1).pipe(half.s())
  // @ts-expect-error: the first lacks an argument
  void chain(fetch.s(), words.s()).delay()
  // @ts-expect-error: the result is no number
  gives<AsyncResult<number>>()(five.delay())
}

export function signatures(): void {
  gives<AsyncResult<number>>()(add.s(1, 2).delay())
  gives<AsyncResult<number>>()(add.s(2).delay(1))
  gives<AsyncResult<number>>()(add.s().delay(1, 2))
  gives<AsyncResult<number>>()(add.s(2).applyAsync([1], {}, { countdown: 5 }))
  gives<AsyncResult<number>>()(add.si(1, 2).set({ queue: 'q' }).link(half.s()).linkError(note.si()).clone().delay())
  gives<AsyncResult<number>>()(all.s('a').delay('b', 'c'))
  gives<AsyncResult<number>>()(chain(show.s(1, 'a'), all.s('b')).delay())
  gives<AsyncResult<number>>()(chain(show.s(1, 'a'), byName.si({ n: 1 })).delay())
  gives<AsyncResult<null>>()(chain(add.s(1, 2), note.si()).delay())
  gives<AsyncResult<number[]>>()(half.map([1, 2]).delay())
  gives<AsyncResult<number[]>>()(add.starmap([[1, 2]]).delay())
  gives<GroupResult<number[][]>>()(add.chunks([[1, 2]], 10).delay())
  gives<AsyncResult<number>>()(app.signature<number>('elsewhere', [1]).pipe(half.s()).delay())
  const any: AnySignature = add.s(1)
  chain([any, half.s(), note.si()])
  // @ts-expect-error: a wrong type
  add.s('1')
  // @ts-expect-error: too many
  add.s(1, 2, 3)
  // @ts-expect-error: an immutable one needs all
  add.si(1)
  // @ts-expect-error: one is missing
  void add.s(1).delay()
  // @ts-expect-error: there is one already
  void add.s(1, 2).delay(3)
  // @ts-expect-error: the callback takes a text
  add.s(1, 2).link(all.s(1))
  // @ts-expect-error: the callback takes nothing
  add.s(1, 2).link(note.s())
  // @ts-expect-error: no such option
  add.s(1, 2).set({ countDown: 1 })
  // @ts-expect-error: they are numbers
  half.map(['1'])
  // @ts-expect-error: a list of lists
  add.starmap([1, 2])
  // @ts-expect-error: no such name
  byName.s({ m: 1 })
  // @ts-expect-error: a name of its own has what it gets from the step before
  chain(add.s(1, 2), byName.s({ n: 1 }))
  // @ts-expect-error: nothing is known of its result
  chain(app.signature('elsewhere', [1]), half.s())
  // @ts-expect-error: a task is no signature
  chain(add.s(1, 2), half)
}

export async function groups(): Promise<void> {
  const two = group(add.s(1, 2), show.s(1, 'a'))
  gives<GroupResult<[number, string]>>()(two.delay())
  gives<GroupResult<number[]>>()(group([1, 2].map((n) => add.s(n, n))).delay())
  gives<GroupResult<[number, number]>>()(chain(add.s(1, 2), group(half.s(), add.s(1))).delay())
  gives<GroupResult<[number, string]>>()(group(add.s(1), show.s('a')).delay(1))
  // A group in a group: its members become those of the outer one. What only ends with a group stays one member.
  gives<GroupResult<[number, number, string]>>()(group(add.s(1, 2), two).delay())
  gives<GroupResult<[number, string, number]>>()(group(group(two), half.s(1)).clone().set({ priority: 1 }).delay())
  gives<GroupResult<number[]>>()(group([1, 2].map((n) => group([add.s(n, n)]))).delay())
  gives<GroupResult<[[number, number], number]>>()(
    group(chain(add.s(1, 2), group(half.s(), add.s(1))), half.s(1)).delay(),
  )
  const [n, text] = await (await two.delay()).get({ timeout: 5 })
  n.toFixed()
  text.toUpperCase()
  for await (const { index, value } of (await group(add.s(1, 2)).delay()).iterate()) value.toFixed(index)
  const results: readonly AnyResult[] = (await two.delay()).results
  void results
  // @ts-expect-error: it is no text
  n.toUpperCase()
  // @ts-expect-error: the second takes a text where the first takes a number
  void group(add.s(1), all.s()).delay(1)
}

export function chords(): void {
  gives<AsyncResult<number>>()(chord(group(add.s(1, 2), half.s(4)), sum.s()).delay())
  gives<AsyncResult<number>>()(
    chord(
      [1, 2].map((n) => add.s(n, n)),
      sum.s(),
    ).delay(),
  )
  gives<AsyncResult<number>>()(chord([add.s(1, 2), half.s(4)], sum.s()).delay())
  gives<AsyncResult<number>>()(group(add.s(1, 2), half.s(4)).pipe(sum.s()).delay())
  gives<AsyncResult<string>>()(chain(add.s(1, 2), group(half.s(), half.s()), sum.s(), show.s('a')).delay())
  gives<AsyncResult<string>>()(
    chord([add.s(1, 2)], sum.s())
      .pipe(show.s('a'))
      .delay(),
  )
  gives<GroupResult<[number, null]>>()(chord([add.s(1, 2)], group(sum.s(), note.si())).delay())
  gives<AsyncResult<null>>()(chord([add.s(1, 2)], note.si()).delay())
  gives<AsyncResult<number>>()(chord(group(add.s(1, 2), group(half.s(4))), sum.s()).delay())
  gives<AsyncResult<number>>()(chord([group(add.s(1, 2), half.s(4))], sum.s()).delay())
  // @ts-expect-error: the body takes one number, not a list
  chord([add.s(1, 2)], half.s())
  // @ts-expect-error: the body takes numbers, and gets texts
  chord([show.s(1, 'a')], sum.s())
  // @ts-expect-error: one of the header gives a text
  chord(group(add.s(1, 2), show.s(1, 'a')), sum.s())
  // @ts-expect-error: a chord needs a body
  chord([add.s(1, 2)])
}
