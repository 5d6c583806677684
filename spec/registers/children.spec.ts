import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { FolderBackend } from '../apps/folderBackend.js'
import { tagged } from '../apps/tagged.js'
import { Client } from '../support/client.js'
import { taskMessage } from '../support/message.js'
import { killAllPrograms } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { waitFor } from '../support/waitFor.js'
import { startWorkerProgram } from '../support/workerProgram.js'

describe.each(['prefork', 'threads'])('what an app has registered, under -P %s', (pool) => {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-results-'))
  const url = pathToFileURL(folder).href.replace('file:', 'folder:')
  const backend = new FolderBackend({ url, shownUrl: url })
  let client: Client

  beforeAll(async () => {
    client = await Client.open(brokerUrl())
  })
  afterEach(() => killAllPrograms())
  afterAll(async () => {
    await client.close()
    rmSync(folder, { recursive: true })
  })

  it('is there in the worker and in its children', async () => {
    const queue = await client.queue()
    await startWorkerProgram({
      brokerUrl: brokerUrl(),
      app: 'build/apps/registers.js',
      args: ['-Q', queue, '-P', pool, '-c', '1'],
      env: { SPEC_RESULTS: url },
    })
    const outcome = async (name: string, args: unknown[]): Promise<unknown> => {
      const id = randomUUID()
      const { properties } = taskMessage(name, { id })
      const content = tagged.write([args, {}, {}])
      await client.publish(queue, [{ properties: { ...properties, contentType: tagged.contentType }, content }])
      await waitFor(async () => (await backend.get(id))?.status === 'SUCCESS', { what: `the result of ${name}` })
      const { result } = (await backend.get(id)) ?? {}
      return [id, result]
    }
    const [id, result] = (await outcome('registers.add', [1, 2])) as [string, unknown]
    // It was tried again with other arguments, in the same serializer.
    expect(result).toEqual(['application/x-tagged', 4])
    expect(await outcome('registers.state', [id])).toEqual([expect.any(String), 'SUCCESS'])
  })
})
