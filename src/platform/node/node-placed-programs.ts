import { errorCode } from '../../base/errors.ts'
import type { PlacedProgram, PlacedPrograms } from '../../jobs/program-identity.ts'
import { NodeProgramIdentifier } from './node-program-identifier.ts'
import { SandboxFiles } from './program-files.ts'

/** What placed jobs run, by the bytes that they will find in their sandbox (rule JB91). */
export class NodePlacedPrograms implements PlacedPrograms {
  readonly #identifier = new NodeProgramIdentifier()

  async identify(
    program: string,
    at: { readonly folder: string; readonly hostFolder: string; readonly home: string; readonly searchPath: string },
  ): Promise<PlacedProgram> {
    const files = new SandboxFiles(at)
    const alone = await this.#identifier.identify(program, at, files)
    const ids = [alone.id, ...(await this.#asTree(program, at, files))]
    return { ids, path: (await files.find(program, at.folder, at.searchPath)) ?? alone.path }
  }

  /** With the job's folder as its tree; none where it lies outside, or the folder is too large to be looked through. */
  async #asTree(program: string, at: { readonly folder: string; readonly searchPath: string }, files: SandboxFiles) {
    try {
      return [(await this.#identifier.identify(program, { ...at, tree: at.folder }, files)).id]
    } catch (error) {
      if (errorCode(error).startsWith('program/')) return []
      throw error
    }
  }
}
