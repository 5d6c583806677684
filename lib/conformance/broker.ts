import { gives } from './broker/gives.js'
import { knows } from './broker/knows.js'
import { nodes } from './broker/nodes.js'
import { sends } from './broker/sends.js'
import { BrokerBench, type BrokerCase } from './broker/user.js'
import { type AddCase, type AddTest, cases } from './suite.js'

/**
 * Runs the tests that a broker has to pass, against a real server. A broker that passes is ready.
 * @param test the `test` of Jest, Vitest or `node:test`
 */
export function testBroker(test: AddTest, broker: BrokerCase): void {
  const suite = (what: string): AddCase<BrokerBench> =>
    cases(
      test,
      `the broker ${broker.name} ${what}`,
      async () => {
        await broker.before?.()
        return new BrokerBench(broker)
      },
      (bench) => bench.clear(),
    )
  sends(suite('sends'))
  gives(suite('gives'))
  knows(suite('knows'))
  nodes(suite('lets nodes talk:'))
}
