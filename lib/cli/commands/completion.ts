import { Argument, type Command } from 'commander'
import { bashCompletion } from '../completion/bash.js'
import { fishCompletion } from '../completion/fish.js'
import { type Place, placesOf } from '../completion/places.js'
import { zshCompletion } from '../completion/zsh.js'
import type { Perform, PerformAlone } from '../perform.js'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const satisfies Record<
  string,
  (places: readonly Place[]) => string
>

const HELP = `
Run this line in the shell, or put it into its start-up file:
  bash  source <(celeriac completion bash)
  zsh   source <(celeriac completion zsh)      after compinit
  fish  celeriac completion fish | source`

/** `celeriac completion`: prints a script with which a shell completes commands and options. */
export function addCompletion(program: Command, _perform: Perform, alone: PerformAlone): void {
  program
    .command('completion')
    .description('Print the completion script of a shell.')
    .addArgument(new Argument('<shell>', 'the shell to complete commands in').choices(Object.keys(SHELLS)))
    .addHelpText('after', HELP)
    .action((shell: keyof typeof SHELLS) =>
      alone(async ({ stdout }) => {
        stdout.write(SHELLS[shell](placesOf(program)))
        return 0
      }),
    )
}
