import { describe, expect, it } from '@jest/globals'
import { pythonJson, pythonRepr, pythonStr, pythonTime, readPythonJson } from '../../lib/cli/pythonText.js'
import { Decimal } from '../../lib/protocol/values.js'

describe('values as Python shows them', () => {
  it.each([
    ['120.0', '120.0'],
    ['120', '120'],
    ['1.50', '1.5'],
    ['-0.0', '-0.0'],
    ['1e2', '100.0'],
    ['1E16', '1e+16'],
    ['1152921504606846977', '1152921504606846977'],
    ['NaN', 'nan'],
    ['null', 'None'],
    ['true', 'True'],
    ['"it\'s"', '"it\'s"'],
    ['"1.0 \\" 2.0"', "'1.0 \" 2.0'"],
    ['["a\\\\", 1.0, "\\\\\\"2.0", 3.0]', "['a\\\\', 1.0, '\\\\\"2.0', 3.0]"],
    ['["\\u0031.0", 1.0]', "['1.0', 1.0]"],
    ['[]', '[]'],
    ['{}', '{}'],
    ['[1, [2.0, {"a": null, "1.0": "x"}]]', "[1, [2.0, {'a': None, '1.0': 'x'}]]"],
  ])('%s is %s', (json, shown) => {
    expect(pythonRepr(readPythonJson(json))).toBe(shown)
  })

  it('a float is a number to whoever reckons with it', () => {
    expect(Number(readPythonJson('2.0'))).toBe(2)
  })

  it('str leaves a text alone, also one that stands for a decimal or a time', () => {
    expect(pythonStr("it's")).toBe("it's")
    expect(pythonStr(new Decimal('1.50'))).toBe('1.50')
    expect(pythonStr(new Date(Date.UTC(2026, 0, 2, 3, 4, 5)))).toBe('2026-01-02 03:04:05+00:00')
  })

  it('JSON on one line, in ASCII, with what came in', () => {
    const text = '{"b": [1, 2.0, null, true, NaN, -Infinity], "a": {}, "\\u00e9\\ud83e\\udd55\\u007f\\n": []}'
    expect(pythonJson(readPythonJson(text))).toBe(text)
  })

  it('JSON over several lines, with sorted keys', () => {
    expect(pythonJson({ b: [1, []], a: {}, c: { d: 'x' } }, { indent: 4, sortKeys: true })).toBe(
      '{\n    "a": {},\n    "b": [\n        1,\n        []\n    ],\n    "c": {\n        "d": "x"\n    }\n}',
    )
  })

  it.each([
    [0, '1970-01-01 00:00:00'],
    [1795522987.011258, '2026-11-24 12:23:07.011258'],
    [1.9999999, '1970-01-01 00:00:02'],
    [1.5, '1970-01-01 00:00:01.500000'],
    [Number.NaN, 'NaN'],
  ])('the time %d is %s', (timestamp, text) => {
    expect(pythonTime(timestamp)).toBe(text)
  })

  it.each(['x', '1', '\\"', '1.0 '])('reads strings of any length: many times %j', (part) => {
    const text = `["${part.repeat(20_000_000 / part.length)}", 1.0]`
    const [string, float] = readPythonJson(text) as [string, unknown]
    expect(string.length).toBe(JSON.parse(text)[0].length)
    expect(pythonRepr(float)).toBe('1.0')
  })

  it('refuses what is no JSON', () => {
    expect(() => readPythonJson('{1.0}')).toThrow(SyntaxError)
  })
})
