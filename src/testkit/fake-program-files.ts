import { toHex, utf8 } from '../base/bytes.ts'
import { sha256 } from '../base/sha256.ts'
import { ProgramError } from '../jobs/program-error.ts'
import type { IdentifiedProgram, ProgramIdentifier } from '../jobs/program-identity.ts'

/** Programs that are the same on all machines of a test, unless it says otherwise. */
export class FakeProgramFiles implements ProgramIdentifier {
  /** What is in the file of that name, where it is not what everybody has. */
  readonly texts = new Map<string, string>()
  readonly missing = new Set<string>()

  async identify(program: string): Promise<IdentifiedProgram> {
    if (this.missing.has(program)) throw new ProgramError('program/not-found', `there is no ${program} here`)
    return { id: `sha256:${toHex(sha256(utf8(this.texts.get(program) ?? program)))}`, path: `/usr/bin/${program}`, kind: 'file' }
  }
}
