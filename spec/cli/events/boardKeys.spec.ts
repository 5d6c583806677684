import { beforeEach, describe, expect, it } from '@jest/globals'
import { Board } from '../../../lib/cli/events/board.js'
import { BoardKeys } from '../../../lib/cli/events/boardKeys.js'

const NOON = Date.UTC(2026, 0, 1, 12) / 1000
const [UP, DOWN, ESCAPE, ENTER, BACKSPACE] = ['\u001b[A', '\u001b[B', '\u001b', '\r', '\u007f']
const ID = '5c1a3b0e-9d6f-4f0c-8a52-0c1f6b8d9e7a'

describe('the keys of the live view', () => {
  let board: Board
  let keys: BoardKeys
  let asked: unknown[]
  let replies: Record<string, unknown> | Error

  beforeEach(() => {
    board = new Board()
    asked = []
    replies = { 'w1@h': { ok: 'done' }, 'w2@h': { error: 'unknown task' } }
    keys = new BoardKeys(board, async (command, args) => {
      asked.push([command, args])
      if (replies instanceof Error) throw replies
      return replies
    })
    take('task-received', 'c', { name: 't.one', args: '(1,)', kwargs: '{}' })
    take('task-received', 'b', { name: 't.two' })
    take('task-received', ID, { name: 't.three', args: '(3,)' })
  })

  const take = (type: string, uuid: string, fields: Record<string, unknown> = {}): void =>
    board.take({ type, hostname: 'w@h', timestamp: NOON, local_received: NOON, uuid, ...fields })
  const press = async (...all: string[]): Promise<void> => {
    for (const key of all) await keys.press(key)
  }
  const lines = (columns = 80) => board.lines({ columns, now: NOON, rows: 24 })
  const selected = (): string | undefined => lines().find((line) => line.selected)?.text
  const panel = (): string[] => {
    const texts = lines().map(({ text }) => text.trimEnd())
    return texts.slice(
      texts.indexOf(
        '',
        texts.findIndex((text) => text.startsWith('TASK')),
      ) + 1,
    )
  }

  it('move through the tasks, and stay on one while others come', async () => {
    expect(selected()).toBeUndefined()
    await press('j')
    expect(board.tasks.selected?.id).toBe(ID)
    await press('j', DOWN, 'J', 'j')
    expect(board.tasks.selected?.id).toBe('c')
    await press('k')
    expect(board.tasks.selected?.id).toBe('b')
    take('task-received', 'new', { name: 't.new' })
    expect(selected()).toMatch(/^b .*t\.two/)
    await press(UP, 'K', 'k')
    expect(board.tasks.selected?.id).toBe('new')
  })

  it('keep the selected task in sight, and remembered, among thousands', async () => {
    await press('j')
    for (let number = 0; number < 2000; number++) take('task-received', `n${number}`, { name: 't' })
    expect(selected()).toContain('t.three')
  })

  it('show the id in full at the top, and little of it in the rows of a narrow terminal', async () => {
    await press('j')
    expect(lines()[1]?.text).toContain(`Selected: ${ID}`)
    expect(selected()).toMatch(/^5c1a3b0e\.\. {2}RECEIVED/)
    expect(lines(160).find((line) => line.selected)?.text).toContain(ID)
  })

  it('show details, result and traceback, and go back to the events', async () => {
    await press('j')
    take('task-failed', ID, { exception: "ValueError('boom')", traceback: 'Traceback:\n  File\nValueError: boom' })
    await press('i')
    expect(panel()).toEqual([
      `Task details for ${ID}   (Esc: back)`,
      'name: t.three',
      'state: FAILURE',
      'worker: w@h',
      'runtime:',
      'args: (3,)',
      "exception: ValueError('boom')",
    ])
    await press('t')
    expect(panel().slice(1)).toEqual(['Traceback:', '  File', 'ValueError: boom'])
    await press('r')
    expect(panel().slice(1)).toEqual(["ValueError('boom')"])
    take('task-succeeded', ID, { result: `'${'x'.repeat(100)}'`, runtime: 0.5 })
    await press('R')
    expect(panel().slice(1).join('')).toBe(`'${'x'.repeat(100)}'`)
    await press(ESCAPE)
    expect(panel()[0]).toBe('EVENTS')
  })

  it('do nothing while no task is selected', async () => {
    await press('i', 't', 'r', 'c', 'l', ENTER)
    expect([board.panel, board.prompt, asked]).toEqual([null, null, []])
  })

  it('revoke the selected task and show what the workers say', async () => {
    await press('j', 'c')
    expect(asked).toEqual([['revoke', { task_id: ID }]])
    expect(panel()).toEqual(['Remote Control Command Replies   (Esc: back)', 'w1@h: done', 'w2@h: unknown task'])
    replies = new Error('No nodes replied within time constraint')
    await press('c')
    expect(panel()[1]).toBe('No nodes replied within time constraint')
  })

  it('ask for a rate limit, in whose letters no command is read', async () => {
    await press('j', 'l', '1', '0', 'x', BACKSPACE, '/', 'm')
    expect(keys.typing).toBe(true)
    expect(lines()[1]?.text).toBe('New rate limit: 10/m')
    await press(ENTER)
    expect(keys.typing).toBe(false)
    expect(asked).toEqual([['rate_limit', { task_name: 't.three', rate_limit: '10/m' }]])
    await press('l', '5', ESCAPE)
    await press('l', ENTER)
    expect(asked).toHaveLength(1)
    expect(board.prompt).toBeNull()
  })

  it('show nothing that could move the cursor', async () => {
    await press('j')
    take('task-failed', ID, { traceback: '\u001b[2J\u009b2J\rboom' })
    await press('t')
    expect(
      lines()
        .map(({ text }) => text)
        .join(''),
    ).not.toMatch(/\p{Cc}/u)
  })
})
