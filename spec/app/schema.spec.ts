import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { checkArguments } from '../../lib/app/schema.js'

describe('checkArguments', () => {
  const named = z.object({ url: z.url(), depth: z.coerce.number().default(1) })

  it('gives the arguments as the schema has made them, at their positions', async () => {
    expect(await checkArguments(named, ['http://h/', '3'], ['url', 'depth'], 't()')).toEqual(['http://h/', 3])
    expect(await checkArguments(named, ['http://h/'], ['url', 'depth'], 't()')).toEqual(['http://h/', 1])
  })

  it('takes a list where the arguments have no names', async () => {
    expect(await checkArguments(z.tuple([z.number(), z.number()]), [1, 2], undefined, 't()')).toEqual([1, 2])
  })

  it('names every argument that is wrong', async () => {
    await expect(checkArguments(named, ['nowhere', 'many'], ['url', 'depth'], 't()')).rejects.toThrow(
      /^t\(\) got invalid arguments: url: .*; depth: /,
    )
  })
})
