import { existsSync } from 'node:fs'
import path from 'node:path'

/** The folder that holds package.json and dist/: of the checkout, or of the installed application's resources. */
export function projectRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(path.join(folder, 'package.json')) && path.dirname(folder) !== folder) folder = path.dirname(folder)
  return folder
}

/** Another entry point of the daemon: beside this one in dist/daemon, or its source when run from source. */
export const daemonEntry = (name: string): string => path.join(import.meta.dirname, `${name}${path.extname(import.meta.filename)}`)
