import type { Command } from 'commander'
import type { Perform, PerformAlone } from '../perform.js'

const HELP = `
The project has two tasks, their tests, a compose file, and a README that leads on to systemd and Kubernetes:
  celeriac init shop && cd shop && npm install && npm test`

/** `celeriac init`: writes a small TypeScript project to start with. */
export function addInit(program: Command, _perform: Perform, alone: PerformAlone): void {
  program
    .command('init')
    .description('Write a small TypeScript project to begin with.')
    .argument('[dir]', 'a folder that is new or empty', '.')
    .addHelpText('after', HELP)
    .action((dir: string) =>
      alone(async (io) => {
        const { writeStarter } = await import('../starter.js')
        io.stdout.write(writeStarter(dir, io.cwd()))
        return 0
      }),
    )
}
