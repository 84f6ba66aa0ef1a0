import { takenEnvironment } from '../job-environment.ts'
import type { EngineSubmission } from './engine.ts'

/** In the shared folder: what jobs write and how they ended, so that it is known also when the engine has forgotten them. */
export const SPOOL = '.elsewhere-jobs'
/** Of others; whoever wants the output of a job has it by then. */
const KEPT_DAYS = 14

/** What one exits with that Slurm begins again. */
export const BEGUN_AGAIN = 75

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

export const outputFile = (shared: string, attempt: string): string => `${shared}/${SPOOL}/${attempt}.out`
export const exitFile = (shared: string, attempt: string): string => `${shared}/${SPOOL}/${attempt}.exit`

/** A script, and where it works. */
export interface SlurmScript {
  readonly name: string
  /** For a shell. */
  readonly script: string
  readonly folder: string
  /** File of the shared disk that takes both outputs. */
  readonly output: string
  readonly environment: Readonly<Record<string, string>>
}

/** What Slurm is given to run for an attempt: the line in its folder, then its exit code beside its output (rule EN3). */
export function slurmScript(
  { name: attempt, arguments: words, folder, environment }: Pick<EngineSubmission, 'name' | 'arguments' | 'folder' | 'environment'>,
  shared: string,
): SlurmScript {
  const exit = exitFile(shared, attempt)
  const script = [
    '#!/bin/sh',
    `# Elsewhere ${attempt}`,
    // Slurm begins a job again when its node was lost, or somebody says so: what it did before may not be done twice.
    `[ "\${SLURM_RESTART_COUNT:-0}" = 0 ] || { echo "its node was lost or it was requeued, and it is not begun again"; exit ${BEGUN_AGAIN}; }`,
    `find ${quoted(`${shared}/${SPOOL}`)} -type f -mtime +${KEPT_DAYS} -exec rm -f {} + 2>/dev/null`,
    `cd ${quoted(folder)} && /bin/sh ${words.map(quoted).join(' ')} </dev/null`,
    'code=$?',
    `echo "$code" >${quoted(`${exit}.tmp`)} && mv ${quoted(`${exit}.tmp`)} ${quoted(exit)}`,
    'exit "$code"',
    '',
  ].join('\n')
  return {
    ...{ name: attempt, script, folder, output: outputFile(shared, attempt) },
    environment: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', ...takenEnvironment(environment) },
  }
}

/** Whether a folder lies on the disk that the engine sees, too. */
export const isShared = (shared: string, folder: string): boolean => folder === shared || folder.startsWith(`${shared.replace(/\/$/, '')}/`)
