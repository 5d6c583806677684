import { type Flag, type Place, valued } from './places.js'

const AT = `function __celeriac_at
    set -l place
    set -l skipping no
    for word in (commandline -opc)[2..]
        if test $skipping = yes
            set skipping no
        else if contains -- (string trim -- "$place $word") $__celeriac_valued
            set skipping yes
        else if contains -- (string trim -- "$place $word") $__celeriac_places
            set place (string trim -- "$place $word")
        end
    end
    test "$place" = "$argv"
end`

/** Completion for fish, as text to be sourced, or to be kept as `completions/celeriac.fish`. */
export function fishCompletion(places: readonly Place[]): string {
  const below = ({ path, words }: Place): string[] => words.map(({ word }) => quoted(`${path} ${word}`.trimStart()))
  const takers = valued(places).flatMap(({ flag, path }) =>
    flag.names.map((name) => quoted(`${path} ${name}`.trimStart())),
  )
  return `# celeriac's completion for fish: celeriac completion fish | source
set -g __celeriac_places ${places.flatMap(below).join(' ')}
set -g __celeriac_valued ${takers.join(' ')}
${AT}
complete -c celeriac -e
complete -c celeriac -f
${places.flatMap(linesOf).join('\n')}
`
}

function linesOf({ files, flags, path, words }: Place): string[] {
  const start = `complete -c celeriac -n ${quoted(`__celeriac_at ${path}`.trimEnd())}`
  return [
    ...words.map(({ help, word }) => `${start} -a ${quoted(word)}${help === '' ? '' : ` -d ${quoted(help)}`}`),
    ...flags.map((flag) => `${start} ${spelled(flag)} -d ${quoted(flag.help)}`),
    ...(files ? [`${start} -F`] : []),
  ]
}

function spelled({ names, value }: Flag): string {
  const names_ = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ')
  if (value === 'nothing') return names_
  if (value === 'file') return `${names_} -r -F`
  return value === 'text' ? `${names_} -x` : `${names_} -x -a ${quoted(value.join(' '))}`
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
