import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type HookedShell, type HookPlaces, shellFunction, shellHook } from '../../jobs/shell-hook.ts'
import { SHELL_INTEGRATION_FILES } from '../../jobs/shell-integration.ts'

/**
 * Writes the shell integration's files below `folder` (0700), each at once: a shell that starts meanwhile reads old or new.
 *
 * @param commandLine  `elsewhere` in these shells
 */
export function writeShellFiles(folder: string, commandLine?: Omit<HookPlaces, 'folder'>): void {
  for (const [name, text] of Object.entries(SHELL_INTEGRATION_FILES)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    const shell = (['bash', 'zsh'] as const).find((one) => name.startsWith(`${one}/`))
    const more = shell && commandLine ? shellFunction(shell, commandLine) : ''
    writeFileSync(`${file}.new`, text + more, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
}

export { type HookedShell, shellHook }
