// Entry of every npm script. Plain JavaScript that old Nodes can read: it checks that Node 24 is in place (it comes as an
// optional dependency and is first on the PATH of npm scripts) and only then loads the TypeScript behind a command.
const WANTED_MAJOR = 24
const COMMANDS = [
  'start',
  'build',
  'test',
  'test-long',
  'check',
  'types',
  'lint',
  'layers',
  'fuzz',
  'demo',
  'bench',
  'setup',
  'package',
  'unit',
  'format',
]

const [command, ...rest] = process.argv.slice(2)
const major = Number(process.versions.node.split('.')[0])

if (major < WANTED_MAJOR) {
  const script = process.env.npm_lifecycle_event || command || 'start'
  console.error(
    `elsewhere: this runs on Node ${WANTED_MAJOR}, and this is Node ${process.versions.node}.\n` +
      `Node ${WANTED_MAJOR} comes with the project as an optional dependency, but it is not in place on ${process.platform}-${process.arch}.\n` +
      `What to do: run "npm ci" without --omit=optional, then "npm ${['start', 'test'].includes(script) ? script : `run ${script}`}" again.\n` +
      `If it is still missing then, install Node ${WANTED_MAJOR} and put it first on your PATH.`,
  )
  process.exit(1)
}
if (!COMMANDS.includes(command)) {
  console.error(`elsewhere: unknown command ${JSON.stringify(command ?? '')}. Known: ${COMMANDS.join(', ')}.`)
  process.exit(2)
}
const { main } = await import(`./${command}.ts`)
// A number is the exit code; nothing means "stay as long as something runs".
const code = await main(rest)
if (typeof code === 'number') process.exitCode = code
