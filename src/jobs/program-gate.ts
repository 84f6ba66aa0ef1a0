import { errorCode } from '../base/errors.ts'
import { JobError } from './job-error.ts'
import type { PlacedProgram } from './program-identity.ts'
import type { ProgramRight, ProgramRights } from './program-rights-contract.ts'

/**
 * What grants to programs give one attempt (rules JB91-JB93): passed once, when all of its files are there and nothing of it runs.
 * From then on it runs by the rights of the program that it is, until one of these is lost.
 */
export class ProgramGate {
  readonly #needed: boolean
  readonly #identify: () => Promise<PlacedProgram>
  #rights: readonly ProgramRight[]
  #program: string | undefined
  #hasPassed = false

  constructor({ needed, rights }: ProgramRights, identify: () => Promise<PlacedProgram>) {
    this.#needed = needed
    this.#rights = rights
    this.#identify = identify
  }

  /** Before it has passed, all that were given; then those of its program. */
  get rights(): ProgramRights {
    return { needed: this.#needed, rights: [...this.#rights] }
  }

  /** The program that was looked at, where it lies in the sandbox: no other of its name is run instead. */
  get program(): string | undefined {
    return this.#program
  }

  get folders() {
    return this.#hasPassed ? foldersOf(this.#rights) : []
  }

  /** @throws JobError `job/program-refused`; ProgramError, where the asker has no other right to run it */
  async pass(): Promise<void> {
    if (this.#hasPassed) return
    const found = await this.#look()
    this.#rights = found ? this.#rights.filter(({ ids }) => ids.some((id) => found.ids.some((other) => other === id))) : []
    if (this.#needed && !this.#rights.some(({ runs }) => runs)) {
      throw new JobError(
        'job/program-refused',
        `what was granted here is another program: this one is ${found?.ids[0] ?? 'unknown'}; ask for a grant to it`,
      )
    }
    this.#hasPassed = true
    if (this.#rights.length > 0) this.#program = found?.path
  }

  /** @returns whether it ran by that grant, and must end */
  lose(grant: string): boolean {
    const had = this.#rights.some((right) => right.grant === grant)
    this.#rights = this.#rights.filter((right) => right.grant !== grant)
    return had && (this.#hasPassed || (this.#needed && !this.#rights.some(({ runs }) => runs)))
  }

  async #look(): Promise<PlacedProgram | undefined> {
    try {
      return await this.#identify()
    } catch (error) {
      // Who may run anything runs it as before, and sees nothing by a grant to a program.
      if (this.#needed || !errorCode(error).startsWith('program/')) throw error
      return undefined
    }
  }
}

/** Folders of all rights: what one may write another may not take back. */
function foldersOf(rights: readonly ProgramRight[]): NonNullable<ProgramRight['folder']>[] {
  const folders = new Map<string, NonNullable<ProgramRight['folder']>>()
  for (const { folder } of rights) if (folder && !folders.get(folder.path)?.mayWrite) folders.set(folder.path, folder)
  return [...folders.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}
