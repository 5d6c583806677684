import { describe, expect, it } from '@jest/globals'
import { expandNodename, expandPath } from '../../lib/worker/nodename.js'

describe('expandNodename', () => {
  it.each([
    ['celery@%h', 'celery@box.example.org'],
    ['w1', 'celery@w1'],
    ['w1@%h', 'w1@box.example.org'],
    ['w1@%n', 'w1@box'],
    ['w1.%d@x', 'w1.example.org@x'],
    ['w%i%I@x', 'w0@x'],
    ['100%%@x', '100%@x'],
    ['w%z@x', 'w%z@x'],
    ['@x', 'celery@x'],
  ])('makes %s of %s', (template, nodename) => {
    expect(expandNodename(template, 'box.example.org')).toBe(nodename)
  })
})

describe('expandPath', () => {
  it('takes %n for the name before the @, and ~ for the home directory', () => {
    expect(expandPath('~/%n%I.log', 'w1@box.example.org', '/home/joe')).toBe('/home/joe/w1.log')
    expect(expandPath('/var/%h.%d/~', 'w1@box.example.org', '/home/joe')).toBe('/var/box.example.org.example.org/~')
  })
})
