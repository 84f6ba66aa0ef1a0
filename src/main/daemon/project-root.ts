import { existsSync } from 'node:fs'
import path from 'node:path'

/** The folder that holds package.json and dist/: of the checkout, or of the installed application's resources. */
export function projectRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(path.join(folder, 'package.json')) && path.dirname(folder) !== folder) folder = path.dirname(folder)
  return folder
}

/** The bundle of another process of the daemon. Never its source: only the bundle has y-webrtc's peer replaced by ours. */
export const daemonEntry = (name: string): string => path.join(projectRoot(), 'dist', 'daemon', `${name}.mjs`)
