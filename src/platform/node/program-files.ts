import { lstat, readlink, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { ProgramError } from '../../jobs/program-error.ts'
import { SYSTEM } from './bubblewrap.ts'
import { findProgram } from './pty-lydell.ts'

/** Files as whoever runs a program sees them. */
export interface ProgramFiles {
  /** As a shell would find it; undefined: there is none. */
  find(program: string, folder: string, searchPath: string): Promise<string | undefined>
  /** Every link followed. @throws if it is not there */
  real(seen: string): Promise<string>
  /** Where that lies on this machine. */
  onHost(real: string): string
}

/** This machine's own. */
export const hostFiles: ProgramFiles = {
  find: async (program, folder, searchPath) => findProgram(program, folder, searchPath),
  real: (seen) => realpath(seen),
  onHost: (real) => real,
}

/** Of the system's, as jobs see it; `cc`, `awk` and `editor` are links into the second. */
const SHOWN = [...SYSTEM, '/etc/alternatives']
/** What a sandbox shows besides the system, and must not be hidden by a folder of whoever asks. */
const KEPT = [...SYSTEM, '/etc', '/proc', '/dev', '/sys']
/** As the kernel follows them. */
const MAX_LINKS = 40

/**
 * Files as a job in its sandbox sees them: the system's, and the job's folder, which lies elsewhere on this machine. A link leads to
 * what it says in there: one that leads out of both leads nowhere, whatever lies at that path on this machine.
 */
export class SandboxFiles implements ProgramFiles {
  readonly #folder: string
  readonly #hostFolder: string

  /**
   * @throws ProgramError `program/hidden`  the folder or home would lie over a part of the system, or the folder where programs look
   *   for settings (`~/.config`, or the home itself): what is found there is the asker's
   */
  constructor({ folder, hostFolder, home }: { readonly folder: string; readonly hostFolder: string; readonly home: string }) {
    for (const one of [folder, home]) {
      const isPlain = path.posix.isAbsolute(one) && path.posix.normalize(one) === one && one !== '/'
      if (isPlain && !KEPT.some((kept) => isInside(kept, one) || isInside(one, kept))) continue
      throw new ProgramError(
        'program/hidden',
        `what a program is cannot be told where ${one.slice(0, 200)} takes the place of the system's`,
      )
    }
    const below = isInside(home, folder) ? path.posix.relative(home, folder).split('/') : []
    if (isInside(folder, home) || below.some((name) => name.startsWith('.'))) {
      throw new ProgramError(
        'program/hidden',
        `what a program does cannot be told where ${folder.slice(0, 200)} gives it its settings; ask from a folder below the home that is not hidden`,
      )
    }
    this.#folder = folder
    this.#hostFolder = hostFolder
  }

  async find(program: string, folder: string, searchPath: string): Promise<string | undefined> {
    const candidates = program.includes('/')
      ? [path.posix.resolve(folder, program)]
      : searchPath.split(':').map((at) => path.posix.resolve(folder, at, program))
    for (const candidate of candidates) {
      const real = await this.#follow(candidate)
      const found = real === undefined ? undefined : await stat(this.onHost(real)).catch(() => undefined)
      if (found?.isFile() && (found.mode & 0o111) !== 0) return candidate
    }
    return undefined
  }

  async real(seen: string): Promise<string> {
    const real = await this.#follow(seen)
    if (real !== undefined) return real
    throw new ProgramError('program/not-found', `${seen.slice(0, 200)} is not there for a job in its sandbox`)
  }

  onHost(real: string): string {
    return isInside(this.#folder, real) ? path.join(this.#hostFolder, path.posix.relative(this.#folder, real)) : real
  }

  async #follow(seen: string): Promise<string | undefined> {
    const rest = seen.split('/')
    let at = '/'
    for (let links = 0; rest.length > 0; ) {
      const name = rest.shift() as string
      if (name === '' || name === '.') continue
      if (name === '..') {
        at = path.posix.dirname(at)
        continue
      }
      const next = path.posix.join(at, name)
      if (isInside(next, this.#folder) && next !== this.#folder) {
        at = next // on the way to the folder there is nothing else
        continue
      }
      if (next === '/etc') {
        at = next // only on the way to what of it is shown
        continue
      }
      if (!isInside(this.#folder, next) && !SHOWN.some((system) => isInside(system, next))) return undefined
      const found = await lstat(this.onHost(next)).catch(() => undefined)
      if (!found) return undefined
      if (!found.isSymbolicLink()) {
        at = next
        continue
      }
      if (++links > MAX_LINKS) return undefined
      const target = await readlink(this.onHost(next))
      rest.unshift(...target.split('/'))
      if (target.startsWith('/')) at = '/'
    }
    return at
  }
}

function isInside(folder: string, one: string): boolean {
  return one === folder || one.startsWith(`${folder}/`)
}
