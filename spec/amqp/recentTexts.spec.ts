import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { RecentTexts } from '../../lib/amqp/recentTexts.js'

describe('recent texts', () => {
  it('are read as Buffer reads them, whatever was read before', () => {
    const texts = new RecentTexts()
    // Few bytes and lengths, so that most texts share a place with another; bytes of characters, and of none.
    const byte = fc.constantFrom(0x00, 0x41, 0x42, 0x7f, 0x80, 0xa9, 0xc3, 0xe2, 0xff)
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc.array(byte, { maxLength: 3 }),
      fc.string({ maxLength: 130 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        for (const each of [...pieces, ...pieces]) {
          const bytes = Buffer.from(each as string)
          const around = Buffer.concat([Buffer.from('x'), bytes, Buffer.from('y')])
          expect(texts.read(around, 1, 1 + bytes.length)).toBe(bytes.toString())
        }
      }),
    )
  })

  it.each([
    'celery.ping',
    'packit_service.worker.tasks.run_copr_build_end_handler',
    '8b6f2f0e-2f65-4a5e-9a39-0a51ad6d1b7c',
  ])('are decoded once: %s', (text) => {
    const texts = new RecentTexts()
    const bytes = Buffer.from(text)
    const decode = jest.spyOn(bytes, 'toString')
    for (let read = 0; read < 3; read++) expect(texts.read(bytes, 0, bytes.length)).toBe(text)
    expect(decode).toHaveBeenCalledTimes(1)
  })
})
