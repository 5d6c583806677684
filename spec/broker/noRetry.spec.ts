import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Client } from '../support/client.js'
import { type Link, openLink, through } from '../support/link.js'
import { killAllPrograms } from '../support/program.js'
import { brokerUrl } from '../support/services.js'
import { startWorkerProgram } from '../support/workerProgram.js'

describe('with broker_connection_retry off', () => {
  let link: Link

  beforeEach(async () => {
    link = await openLink(Number(new URL(brokerUrl()).port))
  })

  afterEach(async () => {
    await killAllPrograms()
    await link.close()
  })

  it('a worker whose broker is lost ends with exit code 1, for its supervisor to restart it', async () => {
    const client = await Client.open(brokerUrl())
    const queue = await client.queue()
    const worker = await startWorkerProgram({
      brokerUrl: through(brokerUrl(), link.port),
      args: ['-Q', queue],
      env: { CELERY_BROKER_CONNECTION_RETRY: '0' },
    })
    link.refuse()
    link.cut()
    expect(await worker.exited).toEqual({ code: 1, signal: null })
    expect(worker.output).toContain('(app.conf.broker_connection_retry=False). Shutting down...')
    await client.close()
  })
})
