import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type HookedShell, shellHook } from '../../platform/node/shell-files.ts'
import { projectRoot } from '../daemon/project-root.ts'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOf, dataOptions } from './device-commands.ts'
import { connectDevice } from './local-client.ts'

const HOW = (shell: string) => `eval "$(elsewhere on ${shell})"`

export const onCommand: Command = {
  summary: 'let this shell offload heavy commands by itself (bash, zsh)',
  help: `Prints what makes a shell offload heavy commands by itself. For every bash, at the end of ~/.bashrc; for every zsh, of ~/.zshrc:

  ${HOW('bash')}
  ${HOW('zsh')}

For this shell only, type that line; in a terminal inside Elsewhere "elsewhere on" does. "elsewhere off" ends it in that shell.

From then on a command that ends by itself, only writes files in its folder, and took long here before (2 seconds or more) runs on another of your
devices when that is clearly sooner; a dim line says where. Everything else stays as it is: lines with variables, globs, pipes,
builtins, aliases or functions, jobs in the background, whatever is not understood, and all of it when the device does not
answer within 20 ms. History, $?, Ctrl-C and completion are the shell's own, as before.

  elsewhere on [bash | zsh]     which shell: the one it is started from, if not said

${DATA_OPTION}`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options: dataOptions, allowPositionals: true })
    const shell = positionals[0] ?? parentShell() ?? path.basename(process.env.SHELL ?? '')
    if (!isHooked(shell)) throw new TypeError(`shells that can be hooked are bash and zsh${shell ? `, not ${shell}` : ''}`)
    if (process.stdout.isTTY) {
      console.error(`elsewhere: a program cannot change the shell it is started from. Type ${HOW(shell)}, or put that into ~/.${shell}rc.`)
      return 2
    }
    const data = dataOf(values.data)
    // Where the device is not running yet, it finds the folder when it starts.
    if (existsSync(data.path)) mkdirSync(data.shells, { recursive: true, mode: 0o700 })
    const device = await connectDevice(data).catch(() => undefined)
    await device?.serveShells({}).finally(() => device.dispose())
    const cli = [process.execPath, path.join(projectRoot(), 'bin', 'elsewhere.mjs')]
    process.stdout.write(shellHook(shell, { folder: data.shells, data: data.path, cli }))
    return 0
  },
}

export const offCommand: Command = {
  summary: 'end that in this shell',
  help: 'Ends it in the shell it is typed in. Without "elsewhere on" there is nothing to end.',
  run: () => {
    throw new TypeError('this shell is not hooked; "elsewhere on --help" says how')
  },
}

const isHooked = (name: string): name is HookedShell => name === 'bash' || name === 'zsh'

/** The shell this was started from, on Linux. */
function parentShell(): string | undefined {
  try {
    const name = readFileSync(`/proc/${process.ppid}/comm`, 'utf8').trim()
    return isHooked(name) ? name : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined // no /proc
    throw error
  }
}
