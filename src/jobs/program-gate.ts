import { errorCode } from '../base/errors.ts'
import type { AttemptRequest } from './attempt-contract.ts'
import { JobError } from './job-error.ts'
import type { PlacedProgram } from './program-identity.ts'
import type { ProgramRight, ProgramRights } from './program-rights-contract.ts'
import { plainCommand } from './shell-words.ts'

export type GatedCommand = Pick<AttemptRequest, 'program' | 'arguments'>

/**
 * What grants to programs give one attempt (rules JB91-JB93): passed once, when all of its files are there and nothing of it runs.
 * From then on it runs by the rights of the program that it is, until one of these is lost.
 */
export class ProgramGate {
  readonly #needed: boolean
  readonly #request: GatedCommand
  readonly #identify: (program: string) => Promise<PlacedProgram>
  #rights: readonly ProgramRight[]
  #command: GatedCommand
  #hasPassed = false

  constructor({ needed, rights }: ProgramRights, request: GatedCommand, identify: (program: string) => Promise<PlacedProgram>) {
    this.#needed = needed
    this.#rights = rights
    this.#request = this.#command = request
    this.#identify = identify
  }

  /** Before it has passed, all that were given; then those of its program. */
  get rights(): ProgramRights {
    return { needed: this.#needed, rights: [...this.#rights] }
  }

  /** What is run: the file that was looked at, no other of its name. */
  get command(): GatedCommand {
    return this.#command
  }

  get folders() {
    return this.#hasPassed ? foldersOf(this.#rights) : []
  }

  /** @throws JobError `job/program-refused`; ProgramError, where the asker has no other right to run it */
  async pass(): Promise<void> {
    if (this.#hasPassed) return
    const seen: string[] = []
    let held: readonly ProgramRight[] = []
    const commands = commandsIn(this.#request)
    for (const command of commands) {
      const found = await this.#look(command.program, command === commands.at(-1))
      seen.push(...(found?.ids.slice(0, 1) ?? []))
      held = this.#rights.filter(({ ids }) => !ids || ids.some((id) => found?.ids.some((other) => other === id)))
      if (!found || !held.some(({ ids }) => ids)) continue
      this.#command = { ...command, program: found.path }
      break
    }
    this.#rights = held
    if (this.#needed && !held.some(({ runs }) => runs)) {
      throw new JobError(
        'job/program-refused',
        `what was granted here is another program: this one is ${seen.join(', or ')}; ask for a grant to it`,
      )
    }
    this.#hasPassed = true
  }

  /** @returns whether that leaves it without a right to run, or to a folder that it sees: then it must end */
  lose(grant: string): boolean {
    const lost = this.#rights.find((right) => right.grant === grant)
    if (!lost) return false
    this.#rights = this.#rights.filter((right) => right !== lost)
    if (this.#needed && !this.#rights.some(({ runs }) => runs)) return true
    const { folder } = lost
    const isCovered = this.#rights.some((right) => right.folder?.path === folder?.path && (right.folder?.mayWrite || !folder?.mayWrite))
    return this.#hasPassed && folder !== undefined && !isCovered
  }

  async #look(program: string, isLast: boolean): Promise<PlacedProgram | undefined> {
    try {
      return await this.#identify(program)
    } catch (error) {
      // Who may run anything runs it as before, and sees nothing by a grant to a program.
      const mayRun = !this.#needed || this.#rights.some(({ ids, runs }) => !ids && runs)
      if ((isLast && !mayRun) || !errorCode(error).startsWith('program/')) throw error
      return undefined
    }
  }
}

/** A line that a shell is given and that is one plain command is that command; else, and then too, it is the shell. */
function commandsIn(request: GatedCommand): GatedCommand[] {
  const [option, line, ...more] = request.arguments
  const isLine = /^(\/bin\/)?sh$/.test(request.program) && option === '-c' && more.length === 0
  const [program, ...words] = (isLine && line !== undefined && plainCommand(line)) || []
  return program === undefined ? [request] : [{ program, arguments: words }, request]
}

/** Folders of all rights: what one may write another may not take back. */
function foldersOf(rights: readonly ProgramRight[]): NonNullable<ProgramRight['folder']>[] {
  const folders = new Map<string, NonNullable<ProgramRight['folder']>>()
  for (const { folder } of rights) if (folder && !folders.get(folder.path)?.mayWrite) folders.set(folder.path, folder)
  return [...folders.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}
