import { EventEmitter } from 'node:events'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { handleSignals, type Signals } from '../../../lib/cli/worker/signals.js'

const WARM = 'worker: Warm shutdown (MainProcess)'
const COLD = 'worker: Cold shutdown (MainProcess)'
const NEXT_IS_COLD = 'worker: Hitting Ctrl+C again will initiate cold shutdown, terminating all running tasks!'
const NEXT_KILLS = 'worker: Hitting Ctrl+C again will terminate all running tasks!'
const BE_PATIENT = 'Waiting gracefully for cold shutdown to complete...'

describe('signals', () => {
  let source: EventEmitter
  /** What happened, in order. */
  let seen: string[]
  let endTerminate: () => void
  let failures: unknown[]

  beforeEach(() => {
    source = new EventEmitter()
    seen = []
    failures = []
  })

  function handle({ remapTerm = false, restart = 'celeriac worker' as string | null } = {}): Signals {
    return handleSignals({
      source,
      remapTerm,
      restart,
      look: () => seen.push('look'),
      worker: {
        stop: async () => void seen.push('stop'),
        terminate: () => {
          seen.push('terminate')
          return new Promise<void>((resolve) => {
            endTerminate = resolve
          })
        },
      },
      say: (text) => seen.push(text),
      exit: (code) => seen.push(`exit ${code}`),
      onError: (thrown) => failures.push(thrown),
    })
  }

  const send = (...signals: string[]): string[] => {
    seen.length = 0
    for (const signal of signals) source.emit(signal)
    return [...seen]
  }

  it('stops warmly on TERM, with exit code 0', () => {
    const signals = handle()
    expect(send('SIGTERM')).toEqual([WARM, 'stop'])
    expect(signals.exitCode).toBe(0)
  })

  it('repeats the message on a second TERM, and changes nothing', () => {
    handle()
    send('SIGTERM')
    expect(send('SIGTERM')).toEqual([WARM, 'stop'])
  })

  it('stops warmly on INT, with exit code 1', () => {
    const signals = handle()
    expect(send('SIGINT')).toEqual([NEXT_IS_COLD, WARM, 'stop'])
    expect(signals.exitCode).toBe(1)
    send('SIGTERM')
    expect(signals.exitCode).toBe(1)
  })

  it('stops coldly on a second INT, and says so once it is done', async () => {
    handle()
    send('SIGINT')
    expect(send('SIGINT')).toEqual([NEXT_KILLS, 'terminate'])
    endTerminate()
    await Promise.resolve()
    await Promise.resolve()
    expect(seen.at(-1)).toBe(COLD)
  })

  it('is still warm on an INT after a TERM', () => {
    handle()
    send('SIGTERM')
    expect(send('SIGINT')).toEqual([NEXT_IS_COLD, WARM, 'stop'])
    expect(send('SIGINT')).toEqual([NEXT_KILLS, 'terminate'])
  })

  it('stops coldly on QUIT, with exit code 0', () => {
    const signals = handle()
    expect(send('SIGQUIT')).toEqual([NEXT_KILLS, 'terminate'])
    expect(signals.exitCode).toBe(0)
  })

  it.each(['SIGINT', 'SIGQUIT'])('asks for patience on another %s, and exits on the one after', (signal) => {
    handle()
    send('SIGQUIT')
    expect(send(signal)).toEqual([BE_PATIENT])
    expect(send(signal)).toEqual(['exit 1'])
  })

  it('takes no notice of TERM during a cold shutdown', () => {
    handle()
    send('SIGQUIT')
    expect(send('SIGTERM', 'SIGTERM')).toEqual([])
  })

  it('takes TERM for QUIT with REMAP_SIGTERM', () => {
    handle({ remapTerm: true })
    expect(send('SIGTERM')).toEqual([NEXT_KILLS, 'terminate'])
    expect(send('SIGTERM')).toEqual([BE_PATIENT])
  })

  it('stops warmly on HUP, to start again', () => {
    const signals = handle()
    expect(signals.restarting).toBe(false)
    expect(send('SIGHUP')).toEqual(['Restarting celery worker (celeriac worker)', WARM, 'stop'])
    expect(signals).toMatchObject({ exitCode: 0, restarting: true })
    expect(send('SIGHUP')).toEqual([])
    expect(signals.restarting).toBe(true)
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'])('does not start again if %s comes after the HUP', (signal) => {
    const signals = handle()
    send('SIGHUP', signal)
    expect(signals.restarting).toBe(false)
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'])('does not start again if %s came before the HUP', (signal) => {
    const signals = handle()
    send(signal)
    expect(send('SIGHUP')).toEqual([])
    expect(signals.restarting).toBe(false)
  })

  it('takes HUP for TERM on a terminal', () => {
    const signals = handle({ restart: null })
    expect(send('SIGHUP')).toEqual([WARM, 'stop'])
    expect(signals.restarting).toBe(false)
  })

  it('looks on USR1, and goes on', () => {
    handle()
    expect(send('SIGUSR1')).toEqual(['look'])
  })

  it('tells of a stop that fails', async () => {
    const failure = new Error('no')
    handleSignals({
      source,
      remapTerm: false,
      restart: null,
      look: () => undefined,
      worker: { stop: () => Promise.reject(failure), terminate: () => Promise.reject(failure) },
      say: () => undefined,
      exit: () => undefined,
      onError: (thrown) => failures.push(thrown),
    })
    source.emit('SIGTERM')
    source.emit('SIGQUIT')
    await new Promise((resolve) => setImmediate(resolve))
    expect(failures).toEqual([failure, failure])
  })

  it('gives the signals back', () => {
    handle().release()
    expect(source.eventNames()).toEqual([])
  })
})
