import { describe, expect, it } from '@jest/globals'
import { datedSlots } from '../../lib/cli/datedSlots.js'
import { readPythonJson } from '../../lib/cli/pythonText.js'

describe('datedSlots', () => {
  it('shows when each decision was made', () => {
    const reply = readPythonJson(
      '{"slots": {"size": 2}, "decisions": [{"at": 1700000000.25, "slots": 2}, {"at": 1700000001.0}]}',
    )
    expect(datedSlots(reply)).toEqual({
      slots: { size: 2 },
      decisions: [{ at: '2023-11-14T22:13:20.250Z', slots: 2 }, { at: '2023-11-14T22:13:21.000Z' }],
    })
  })

  it.each([{ error: 'no' }, null, 'text', { decisions: [5, { at: 'x' }, { at: 1e300 }, {}] }])(
    'leaves as it is what holds none: %j',
    (reply) => {
      expect(datedSlots(reply)).toEqual(reply)
    },
  )
})
