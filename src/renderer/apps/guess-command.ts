import type { DeviceClient } from '../desk/device-connection.ts'
import { shellQuote } from './drag-payload.ts'
import { extension } from './files/folder-view.ts'
import { joinPath } from './files/home-path.ts'

const BY_NAME: Readonly<Record<string, string>> = {
  makefile: 'make',
  gnumakefile: 'make',
  justfile: 'just',
  'cargo.toml': 'cargo build',
  'cmakelists.txt': 'cmake -B build && cmake --build build',
}
const BY_EXTENSION: Readonly<Record<string, string>> = {
  sh: 'sh',
  bash: 'bash',
  zsh: 'zsh',
  py: 'python3',
  js: 'node',
  mjs: 'node',
  cjs: 'node',
  ts: 'node',
  rb: 'ruby',
  pl: 'perl',
  lua: 'lua',
  r: 'Rscript',
}

/**
 * How a file is run in its own folder, by its name and its first line; undefined: a person must say. A script is given to
 * the program its first line names, so that it need not be marked as executable.
 */
export function guessCommand(name: string, firstLine: string | undefined): string | undefined {
  const at = shellQuote(`./${name}`)
  const words = firstLine?.startsWith('#!') ? firstLine.slice(2).trim().split(/\s+/) : []
  const program = words[0]?.split('/').at(-1)
  if (program === 'env') {
    const rest = words.slice(1).filter((word) => word !== '-S')
    if (rest.length > 0) return [...rest, at].join(' ')
  } else if (program) return [program, ...words.slice(1), at].join(' ')
  const known = BY_EXTENSION[extension(name)]
  return known === undefined ? BY_NAME[name.toLowerCase()] : `${known} ${at}`
}

/** As `guessCommand`, for a file as it lies there; one that is no text is judged by its name. */
export async function guessForFile(
  client: Pick<DeviceClient, 'readText'>,
  device: string,
  folder: string,
  name: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const text = await client.readText({ device, path: joinPath(folder, name) }, { ...(signal && { signal }) }).then(
    (file) => file.text,
    () => undefined, // no text, or too much of it
  )
  return guessCommand(name, text?.slice(0, 1_000).split('\n')[0])
}

/** What stands in the command field for files nobody could guess a command for: their names, with room for the program before them. */
export const askedCommand = (names: readonly string[]): string => ` ${names.map(shellQuote).join(' ')}`
