import { describe, expect, it } from '@jest/globals'
import { parseFlags } from './flags.js'

const NAMES = ['noop', 'redis', 'rpc']

describe('the flags of the bench', () => {
  it('runs everything in full and writes it down by default', () => {
    expect(parseFlags([], NAMES)).toEqual({
      quick: false,
      only: [],
      json: 'spec/bench/results.json',
      svg: 'spec/bench/results.svg',
      help: false,
    })
  })

  it.each([[['--quick']], [['--only', 'noop']]])('writes nothing for %j unless told to', (argv) => {
    expect(parseFlags(argv, NAMES)).toMatchObject({ json: null, svg: null })
    expect(parseFlags([...argv, '--json', 'out.json', '--svg=out.svg'], NAMES)).toMatchObject({
      json: 'out.json',
      svg: 'out.svg',
    })
  })

  it('takes several cases', () => {
    expect(parseFlags(['--only', 'noop,rpc', '--only=redis'], NAMES).only).toEqual(['noop', 'rpc', 'redis'])
  })

  it('names the cases there are when there is no such case', () => {
    expect(() => parseFlags(['--only', 'nope'], NAMES)).toThrow('no such case: nope. There are: noop, redis, rpc')
  })

  it('refuses what it does not know', () => {
    expect(() => parseFlags(['--fast'], NAMES)).toThrow("'--fast'")
    expect(() => parseFlags(['stray'], NAMES)).toThrow("'stray'")
  })
})
