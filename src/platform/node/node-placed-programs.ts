import { errorCode } from '../../base/errors.ts'
import type { IdentifiedProgram, PlacedProgram, PlacedPrograms, ProgramDigest } from '../../jobs/program-identity.ts'
import { NodeProgramIdentifier } from './node-program-identifier.ts'
import { SandboxFiles } from './program-files.ts'

interface At {
  readonly folder: string
  readonly hostFolder: string
  readonly home: string
  readonly searchPath: string
}

/** What placed jobs run, by the bytes that they will find in their sandbox (rule JB91). */
export class NodePlacedPrograms implements PlacedPrograms {
  readonly #identifier = new NodeProgramIdentifier()

  async identify(program: string, at: At): Promise<PlacedProgram> {
    const files = new SandboxFiles(at)
    const alone = await this.#identifier.identify(program, at, files)
    return { ids: await this.#idsOf(program, alone, at, files), path: (await files.find(program, at.folder, at.searchPath)) ?? alone.path }
  }

  /** What the asker brought along is all that lies there: its neighbours are read by it, whoever wrote them. */
  async #idsOf(program: string, alone: IdentifiedProgram, at: At, files: SandboxFiles): Promise<readonly ProgramDigest[]> {
    const isBrought = (file: string) => file === at.folder || file.startsWith(`${at.folder}/`)
    if (isBrought(alone.path)) return this.#asTree(program, at, files)
    return alone.interpreter && isBrought(alone.interpreter.path) ? [] : [alone.id]
  }

  /** With the job's folder as its tree; none where it lies outside, or the folder is too large to be looked through. */
  async #asTree(program: string, at: At, files: SandboxFiles) {
    try {
      return [(await this.#identifier.identify(program, { ...at, tree: at.folder }, files)).id]
    } catch (error) {
      if (errorCode(error).startsWith('program/')) return []
      throw error
    }
  }
}
