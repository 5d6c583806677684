import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { checkArguments } from '../../lib/app/schema.js'
import { readParams } from '../../lib/app/signature.js'

describe('checkArguments', () => {
  const params = readParams(['url', 'depth'])
  const named = z.object({ url: z.url(), depth: z.coerce.number().default(1) })

  it('gives the arguments as the schema has made them, at their positions', async () => {
    expect(await checkArguments(named, ['http://h/', '3'], params, 't()')).toEqual(['http://h/', 3])
    expect(await checkArguments(named, ['http://h/'], params, 't()')).toEqual(['http://h/', 1])
  })

  it('takes a list where the arguments have no names', async () => {
    expect(await checkArguments(z.tuple([z.number(), z.number()]), [1, 2], null, 't()')).toEqual([1, 2])
  })

  it('takes what is gathered by its names', async () => {
    const all = z.object({
      url: z.url(),
      depth: z.number().default(1),
      options: z.object({ at: z.coerce.number() }),
      ids: z.array(z.coerce.number()),
    })
    const gathering = readParams(['url', 'depth?', '**options', '...ids'])
    const bound = ['http://h/', undefined, { at: '7', other: 1 }, '1', '2']
    expect(await checkArguments(all, bound, gathering, 't()')).toEqual(['http://h/', 1, { at: 7 }, 1, 2])
    await expect(checkArguments(all, [...bound, 'x'], gathering, 't()')).rejects.toThrow(/invalid arguments: ids\.2: /)
  })

  it('names every argument that is wrong', async () => {
    await expect(checkArguments(named, ['nowhere', 'many'], params, 't()')).rejects.toThrow(
      /^t\(\) got invalid arguments: url: .*; depth: /,
    )
  })
})
