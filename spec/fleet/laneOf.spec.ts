import { execFileSync } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'
import { rootOf } from '../../lib/app/orderKey.js'
import { homeOf, laneName, laneOf } from '../../lib/fleet/laneOf.js'

const KEYS = ['9800142', 'a', 'owner,project', 'žluťoučký kůň', '\u{1f407}', 'a\\/b', '']

describe('the lane of a key', () => {
  it('is what Python computes', () => {
    const code =
      'import json, sys, zlib; print(json.dumps([zlib.crc32(k.encode()) % 32 for k in json.loads(sys.argv[1])]))'
    const lanes = JSON.parse(execFileSync('python3', ['-c', code, JSON.stringify(KEYS)], { encoding: 'utf8' }))
    expect(KEYS.map((key) => laneOf(key, 32))).toEqual(lanes)
  })

  it('never changes', () => {
    expect(['9800142', '9800143', 'a'].map((key) => laneOf(key, 32))).toEqual([8, 30, 3])
  })

  it('is the same for a key and all that it contains', () => {
    expect(laneOf('9800142/fedora-42/x86', 32)).toBe(laneOf('9800142', 32))
    expect(rootOf('9800142/fedora-42')).toBe('9800142')
    expect(rootOf('a\\/b/c')).toBe('a\\/b')
    expect(rootOf('a')).toBe('a')
  })

  it('spreads keys that are counted up', () => {
    const counts = new Array<number>(32).fill(0)
    for (let build = 9_800_000; build < 9_832_000; build++) {
      const lane = laneOf(String(build), 32)
      counts[lane] = (counts[lane] ?? 0) + 1
    }
    expect(Math.min(...counts)).toBeGreaterThan(900)
    expect(Math.max(...counts)).toBeLessThan(1100)
  })

  it('is not what a message is sent to that waits for long: that is the queue of the fleet', () => {
    const fleets = ['builds', 'others']
    expect(['builds.lane.7', 'others.lane.31', 'builds', 'celery'].map((name) => homeOf(name, fleets))).toEqual([
      'builds',
      'others',
      'builds',
      'celery',
    ])
  })

  it('has a queue named after the one whose lane it is', () => {
    expect(laneName('short-running', 7)).toBe('short-running.lane.7')
  })
})
