import { type Command, Option } from 'commander'
import { systemClock } from '../../clock.js'
import { deferred } from '../../listeners.js'
import type { Logger } from '../../ports.js'
import { LamportClock } from '../../protocol/lamport.js'
import { askWorkers, byNode, readContent } from '../askWorkers.js'
import type { Client } from '../client.js'
import { Board } from '../events/board.js'
import { BoardKeys } from '../events/boardKeys.js'
import { type CaptureOptions, EventCapture } from '../events/capture.js'
import { Dumper } from '../events/dumper.js'
import { isTerminal, Screen } from '../events/screen.js'
import type { Perform } from '../perform.js'
import { UsageError } from '../usage.js'

interface EventsOptions {
  readonly dump?: true
  readonly camera?: string
}

const FRAME_MS = 500
/** Seconds to wait for replies to a command. */
const REPLY_S = 1
/** Celery's options for its snapshots and for daemons, which have no use here. */
const UNUSED = [
  '--detach',
  '-F, --frequency <seconds>',
  '--freq <seconds>',
  '-r, --maxrate <rate>',
  '-l, --loglevel <level>',
  '-f, --logfile <file>',
  '--pidfile <file>',
  '--uid <user>',
  '--gid <group>',
  '--umask <mask>',
  '--executable <file>',
]

/** `celeriac events`: shows the events of workers and clients as they happen. */
export function addEvents(program: Command, perform: Perform): void {
  const command = program
    .command('events')
    .description('Show events: a live view on a terminal, otherwise as with --dump.')
    .option('-d, --dump', 'Print each event as text.')
    .option('-c, --camera <class>', "Not supported: Celery's snapshots need Python.")
    .addHelpText('after', '\nWorkers send task events with -E, or after: celeriac control enable_events')
    .action((options: EventsOptions) => perform((client) => events(client, options)))
  for (const flags of UNUSED) command.addOption(new Option(flags).hideHelp())
}

async function events(client: Client, { camera, dump }: EventsOptions): Promise<number> {
  if (camera !== undefined) throw new UsageError(`-c/--camera ${camera}: snapshots need Python; use celery events`)
  return dump || !isTerminal(client.io.stdout) ? dumpEvents(client) : watchEvents(client)
}

async function dumpEvents(client: Client): Promise<number> {
  const { output } = client
  const dumper = new Dumper()
  output.say('-> evdump: starting capture...')
  const capture = new EventCapture({
    ...captureOptions(client, client.log),
    onEvent: (event) => output.say(dumper.format(event)),
    onLost: () => output.say('-> Connection lost, attempting reconnect'),
  })
  await capture.start()
  await interruption(client)
  await capture.stop()
  return 0
}

async function watchEvents(client: Client): Promise<number> {
  const { input, io } = client
  const board = new Board()
  const { promise: quitted, resolve: quit } = deferred<void>()
  const note = (text: string): void => board.note(text)
  const log = { ...client.log, warning: note, error: note }
  const quietly: Client = { ...client, log, broker: (options) => client.broker({ log, ...options }) }
  const keys = new BoardKeys(board, async (command, args) =>
    byNode(quietly, await askWorkers(quietly, command, args, { timeout: REPLY_S })),
  )
  const press = (key: string): void => {
    if (!keys.typing && key.toLowerCase() === 'q') quit()
    else void keys.press(key).then(draw)
    draw()
  }
  const screen = new Screen(io.stdout, input, press, quit)
  const draw = (): void => screen.draw(board.lines({ ...screen.size, now: systemClock.now() / 1000 }))
  const capture = new EventCapture({
    ...captureOptions(client, log),
    onEvent: (event) => board.take(event),
  })
  io.atExit(() => screen.close())
  screen.open()
  draw()
  const frames = setInterval(draw, FRAME_MS)
  try {
    await capture.start()
    await Promise.race([quitted, interruption(client)])
  } finally {
    clearInterval(frames)
    screen.close()
    await capture.stop()
  }
  return 0
}

/** The capture reconnects for as long as it runs. */
function captureOptions(client: Client, log: Logger): Omit<CaptureOptions, 'onEvent'> {
  return {
    broker: client.broker({ log, keepsTrying: true }),
    clock: systemClock,
    lamport: new LamportClock(),
    log,
    read: readContent,
  }
}

/** Resolves on Ctrl+C or TERM, and when the reader of the output is gone. */
function interruption({ io }: Client): Promise<void> {
  return new Promise((resolve) => {
    const signals = ['SIGINT', 'SIGTERM'] as const
    const done = (): void => {
      for (const signal of signals) io.signals.off(signal, done)
      resolve()
    }
    io.stdout.on('error', done)
    for (const signal of signals) io.signals.on(signal, done)
  })
}
