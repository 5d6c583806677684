import { describe, expect, it } from '@jest/globals'
import { commandNames } from '../../lib/app/ownCommands.js'
import { Celery } from '../../lib/celery.js'
import { commandNamed } from '../../lib/cli/askWorkers.js'
import { COMMANDS } from '../../lib/control/commands/index.js'

const run = (): null => null

describe("an app's own commands", () => {
  it('can have no name that every worker knows', () => {
    const known = COMMANDS.flatMap(({ aliases, name }) => [name, ...aliases])
    expect([...commandNames].sort()).toEqual([...new Set(known)].sort())
  })

  it('are typed by their arguments', () => {
    new Celery('own').controlCommand('move', {
      args: { from: 'text', n: 'int?', ids: 'list?' },
      help: 'Move.',
      run: ({ from, ids, n }, { nodename }) => {
        const texts: string[] = [from, nodename]
        // @ts-expect-error it may be left out
        const some: number = n
        return [texts, some, ids?.length]
      },
    })
  })

  it('are offered by the command line of their app', () => {
    const app = new Celery('own').inspectCommand('stock', { args: { sku: 'text', n: 'int?' }, help: 'Stock', run })
    expect(commandNamed('inspect', 'stock', app)).toMatchObject({ signature: '<sku> [n]', help: 'Stock.' })
    expect(() => commandNamed('inspect', 'nosuch', app)).toThrow("'stock'")
    expect(() => commandNamed('control', 'stock', app)).toThrow("'stock' is not one of")
  })

  it.each([
    [
      'revoke',
      { help: 'Mine.', run },
      "app.controlCommand('revoke'): every worker has a command of that name; choose another",
    ],
    ['dump_active', { help: 'Mine.', run }, 'every worker has a command of that name'],
    ['twice', { help: 'Mine.', run }, "app.controlCommand('twice'): the command is defined twice"],
    ['--x', { help: 'Mine.', run }, 'expected a name of letters'],
    ['mine', { help: 'Mine.' }, 'expected both help and run'],
    ['mine', { help: 'Mine.', run, alias: 'my' }, 'alias is not an option here: define a second command'],
    ['mine', { help: 'Mine.', run, args: { a: 'string' } }, 'expected text, int, float, bool or list for each'],
    ['mine', { help: 'Mine.', run, args: { a: 'list', b: 'int' } }, 'expected a list as the last one only'],
    ['mine', { help: 'Mine.', run, args: { a: 'int?', b: 'int' } }, 'may be left out behind'],
  ])('are refused as %s %j', (name, options, text) => {
    const app = new Celery('own').controlCommand('twice', { help: 'Once.', run })
    expect(() => app.controlCommand(name, options as never)).toThrow(text)
  })
})
