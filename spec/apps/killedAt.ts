/*
 * The app of `steps.ts` in a process that kills itself, as `kill -9` does, at the log line that contains KILLED_AT: before anything that would
 * follow it.
 */
import app from './steps.js'

const words = process.env.KILLED_AT
const write = process.stderr.write.bind(process.stderr)
if (words) {
  process.stderr.write = ((text: string | Uint8Array, ...rest: []) => {
    const isWritten = write(text, ...rest)
    if (text.toString().includes(words)) process.kill(process.pid, 'SIGKILL')
    return isWritten
  }) as typeof process.stderr.write
}

/** A message that no worker survives. */
app.task('killed.always', { params: ['n', 'key'], orderBy: 'kwargs.key' }, (_n: number, _key: string) => {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => undefined)
})

export default app
