import { describe, expect, it } from '@jest/globals'
import { Dumper } from '../../../lib/cli/events/dumper.js'
import { readPythonJson } from '../../../lib/cli/pythonText.js'

describe('events as text', () => {
  const format = (dumper: Dumper, json: string): string =>
    dumper.format(readPythonJson(json) as Record<string, unknown>)

  it('workers: what they tell, sorted', () => {
    const event = '{"type": "worker-heartbeat", "hostname": "w@h", "timestamp": 0.5, "freq": 2.0, "active": 1}'
    expect(format(new Dumper(), event)).toBe('w@h [1970-01-01 00:00:00.500000] heartbeat: active=1, freq=2.0')
  })

  it('an event that tells nothing', () => {
    const event = '{"type": "worker-online", "hostname": "w@h", "timestamp": 0}'
    expect(format(new Dumper(), event)).toBe('w@h [1970-01-01 00:00:00] started ')
  })

  it('tasks: the name is remembered from when they were received', () => {
    const dumper = new Dumper()
    const start = '"hostname": "w@h", "timestamp": 1, "uuid": "id1"'
    const received = `{"type": "task-received", ${start}, "name": "t.add", "args": "(1,)", "kwargs": "{}", "eta": null}`
    expect(format(dumper, received)).toBe(
      'w@h [1970-01-01 00:00:01] task received: t.add(id1) args=(1,) kwargs={} eta=None',
    )
    expect(format(dumper, `{"type": "task-succeeded", ${start}, "result": "5", "runtime": 1.0}`)).toBe(
      'w@h [1970-01-01 00:00:01] task succeeded: t.add(id1) args=(1,) kwargs={} result=5, runtime=1.0',
    )
  })

  it('tasks that were received before the capture have no name', () => {
    const event = '{"type": "task-started", "hostname": "w@h", "timestamp": 1, "uuid": "id9", "pid": 3}'
    expect(format(new Dumper(), event)).toBe('w@h [1970-01-01 00:00:01] task started:  pid=3')
  })

  it('what others sent moves no cursor and begins no line, but for a traceback, which keeps its lines', () => {
    const event = String.raw`{"type": "task-failed", "hostname": "w\u001b[2J@h", "timestamp": 1, "uuid": "id9", "exception": "a\nb", "traceback": "Traceback:\n  \u009bA\nE: a\n"}`
    expect(format(new Dumper(), event)).toBe(
      'w\\x1b[2J@h [1970-01-01 00:00:01] task failed:  exception=a\\nb, traceback=Traceback:\n  \\x9bA\nE: a\n',
    )
  })
})
