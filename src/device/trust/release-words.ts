/* What the CLI may know of releases without a running device: a publisher signs with a key of its own. */
export { type ProgramRelease, signProgramRelease } from '../../identity/programs/program-release.ts'
export { parseGrantedProgram } from '../../identity/authority/program-id.ts'
