/*
 * What piscina loads in a thread. It tries `require` first, and on Node 20 a thread that is ended while an ES module is being required
 * takes the whole process with it (`v8::Module::IsGraphAsync`): so what is required is this, and the ES module is imported from here.
 */
type Main = typeof import('./threadMain.js', { with: { 'resolution-mode': 'import' }})
type Call = Parameters<Main['default']>[0]

let main: Promise<Main> | null = null

async function onCall(call: Call): ReturnType<Main['default']> {
  main ??= import('./threadMain.js')
  return (await main).default(call)
}

export = onCall
