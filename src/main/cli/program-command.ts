import { parseArgs } from 'node:util'
import { NodeProgramIdentifier } from '../../platform/node/node-program-identifier.ts'
import type { Command } from './command.ts'

type IdentifiedProgram = Awaited<ReturnType<NodeProgramIdentifier['identify']>>

export const programCommand: Command = {
  summary: 'what a program of this machine is, by its bytes',
  help: `Says what a program is: the id that a grant to it names. A file is the SHA-256 of its bytes; a script its interpreter, what the first
line tells that, and its text; with --tree every file of that folder counts, too.

  elsewhere program id NAME|PATH

  --tree FOLDER  a folder that belongs to the program: what a script reads beside itself
  --json         for programs
`,
  async run(args) {
    const options = { tree: { type: 'string' }, json: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [what, program] = positionals
    if (what !== 'id' || !program) throw new TypeError('use "program id NAME", with the name or path of a program')
    const found = await identifyProgram(program, values.tree)
    if (values.json) console.log(JSON.stringify(found, undefined, 2))
    else for (const line of programLines(found)) console.log(line)
    return 0
  },
}

/** On this machine, as a shell here would find it. @throws ProgramError */
export const identifyProgram = (program: string, tree?: string): Promise<IdentifiedProgram> =>
  new NodeProgramIdentifier().identify(program, {
    folder: process.cwd(),
    searchPath: process.env.PATH ?? '',
    ...(tree === undefined ? {} : { tree }),
  })

function programLines(found: IdentifiedProgram): string[] {
  const lines = [`${found.id}  ${found.path}${found.kind === 'tree' ? ' with its tree' : ''}`]
  for (let one = found.interpreter; one; one = one.interpreter) lines.push(`  interpreted by ${one.path}  ${one.id}`)
  return lines
}
