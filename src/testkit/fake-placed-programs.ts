import { ProgramError } from '../jobs/program-error.ts'
import type { PlacedProgram, PlacedPrograms, ProgramDigest } from '../jobs/program-identity.ts'

/** The id of a program that a test calls by name. */
export const fakeProgramId = (name: string): ProgramDigest =>
  `sha256:${[...name]
    .map((letter) => letter.charCodeAt(0).toString(16))
    .join('')
    .padEnd(64, '0')
    .slice(0, 64)}`

/** Programs by what they are called: what is named in `missing` is not there. */
export class FakePlacedPrograms implements PlacedPrograms {
  readonly missing = new Set<string>()
  /** Held back until a test lets it go. */
  hold: Promise<void> | undefined

  async identify(program: string): Promise<PlacedProgram> {
    await this.hold
    if (this.missing.has(program)) throw new ProgramError('program/not-found', `there is no ${program} here`)
    return { ids: [fakeProgramId(program)], path: `/usr/bin/${program}` }
  }
}
