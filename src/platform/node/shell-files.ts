import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { SHELL_INTEGRATION_FILES } from '../../jobs/shell-integration.ts'

/** Writes the shell integration's files below `folder` (0700), each at once: a shell that starts meanwhile reads old or new. */
export function writeShellFiles(folder: string): void {
  for (const [name, text] of Object.entries(SHELL_INTEGRATION_FILES)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(`${file}.new`, text, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
}
