import { describe, expect, it } from '@jest/globals'
import {
  choice,
  count,
  list,
  map,
  optional,
  positiveSeconds,
  presence,
  range,
  seconds,
  text,
  toggle,
} from '../../lib/settings/parse.js'

describe('toggle', () => {
  it.each([true, 1, '1', 'true', 'Yes', 'ON', 't'])('takes %p for true', (raw) => {
    expect(toggle(raw)).toBe(true)
  })

  it.each([false, 0, '0', 'False', 'no', 'off', 'N'])('takes %p for false', (raw) => {
    expect(toggle(raw)).toBe(false)
  })

  it.each(['maybe', '', 2, {}, ['true']])('refuses %p', (raw) => {
    expect(() => toggle(raw)).toThrow('expected a switch: true or false, yes or no, on or off, 1 or 0')
  })
})

describe('presence', () => {
  it.each([
    ['1', true],
    ['please', true],
    ['0', false],
    ['false', false],
    ['', false],
  ])('takes %p for %p', (raw, value) => {
    expect(presence(raw)).toBe(value)
  })
})

describe('count', () => {
  it.each([
    ['4', 4],
    [' 4 ', 4],
    [4, 4],
    ['0', 0],
  ])('takes %p for %p', (raw, value) => {
    expect(count()(raw)).toBe(value)
  })

  it.each(['4.5', 4.5, '', 'four', '0x10', -1, null, Number.NaN, true, [4]])('refuses %p', (raw) => {
    expect(() => count()(raw)).toThrow('expected a whole number of at least 0')
  })

  it('keeps to its bounds', () => {
    expect(count({ min: 1, max: 255 })('255')).toBe(255)
    expect(() => count({ min: 1, max: 255 })(256)).toThrow('expected a whole number from 1 to 255')
    expect(() => count({ min: 1 })('0')).toThrow('expected a whole number of at least 1')
  })
})

describe('seconds', () => {
  it.each([
    ['2.5', 2.5],
    ['.5', 0.5],
    ['1e3', 1000],
    [0, 0],
  ])('takes %p for %p', (raw, value) => {
    expect(seconds(raw)).toBe(value)
  })

  it.each(['-1', -0.1, 'soon', '', 'Infinity', Number.POSITIVE_INFINITY, '1s'])('refuses %p', (raw) => {
    expect(() => seconds(raw)).toThrow('expected a number of seconds, such as 30 or 0.5, not below 0')
  })

  it('may have to be above 0', () => {
    expect(positiveSeconds('0.1')).toBe(0.1)
    expect(() => positiveSeconds(0)).toThrow('expected a number of seconds above 0')
  })
})

describe('range', () => {
  it.each([
    ['10,2', 10, 2],
    ['2,10', 10, 2],
    ['10, 2', 10, 2],
    ['10', 10, 1],
    [10, 10, 1],
    ['10,0', 10, 1],
    [[2, 10], 10, 2],
    [{ max: 10, min: 2 }, 10, 2],
    ['3,3', 3, 3],
  ])('takes %p', (raw, max, min) => {
    expect(range(raw)).toEqual({ max, min })
  })

  it.each(['a,b', '10,', '', '1,2,3', '0', '0,0', '-1,2', '1.5', null, {}])('refuses %p', (raw) => {
    expect(() => range(raw)).toThrow(
      'expected the most and the fewest slots as whole numbers, such as 10,2, or the most alone',
    )
  })
})

describe('list', () => {
  it('splits at commas and trims nothing, as Celery does', () => {
    expect(list('a, b')).toEqual(['a', ' b'])
    expect(list(['a', 'b,c'])).toEqual(['a', 'b,c'])
    expect(list([])).toEqual([])
  })

  it.each(['', 'a,', ['a', 1], {}, null])('refuses %p', (raw) => {
    expect(() => list(raw)).toThrow('expected names separated by commas, none of them empty')
  })
})

describe('choice', () => {
  it('gives the word in the spelling of the table', () => {
    expect(choice(['INFO', 'DEBUG'], { anyCase: true })('info')).toBe('INFO')
    expect(() => choice(['classic', 'quorum'])('Quorum')).toThrow('expected one of classic, quorum')
  })
})

describe('text, optional and map', () => {
  it('take null and the empty text for nothing only where nothing is allowed', () => {
    expect(optional(text)(null)).toBeNull()
    expect(optional(text)('')).toBeNull()
    expect(() => text('')).toThrow('expected a text')
    expect(() => text(5)).toThrow('expected a text')
  })

  it('read a map from an object or from JSON, and name the entry that is wrong', () => {
    expect(map(count(), 'numbers')({ a: '1' })).toEqual({ a: 1 })
    expect(map(count(), 'numbers')('{"a": 2}')).toEqual({ a: 2 })
    expect(() => map(count(), 'numbers')({ a: 'x' })).toThrow('"a": expected a whole number of at least 0')
    expect(() => map(count(), 'numbers')('[1]')).toThrow('expected numbers, as an object or its JSON text')
    expect(() => map(count(), 'numbers')('{')).toThrow('expected numbers, as an object or its JSON text')
  })
})
