import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { DataFolder } from '../daemon/data-folder.ts'
import { findElectron, findElectronInstaller, hasScreen } from '../daemon/find-display-host.ts'
import { projectRoot } from '../daemon/project-root.ts'
import type { DisplayHost } from '../daemon/supervisor-contract.ts'
import { askYesNo } from './console-prompt.ts'

/**
 * Asks whether to fetch Electron's binary, which is no part of the package (rule DV38): only on a terminal with a
 * screen, outside CI, when the package is there and its binary is not. A no is kept in the data folder, so that `auto` asks once; `--host electron`
 * asks again.
 *
 * @returns false when Ctrl-C was pressed instead of an answer: nothing is to be started then
 */
export async function offerElectron(data: DataFolder, host: DisplayHost): Promise<boolean> {
  if ((host !== 'auto' && host !== 'electron') || !process.stdin.isTTY || process.env.CI || !hasScreen(process.env)) return true
  const from = path.join(projectRoot(), 'package.json')
  const installer = findElectronInstaller(from)
  if (!installer || findElectron(process.env, from)) return true
  if (host === 'auto' && existsSync(data.electronDeclined)) return true
  const answer = await askYesNo("Electron's binary (about 120 MB) is not here. Fetch it? Without it the desktop opens in a browser.")
  if (answer === undefined) return false
  if (!answer) {
    writeFileSync(data.electronDeclined, '', { mode: 0o600 })
    console.log('Going on without it. "--host electron" asks again.')
    return true
  }
  const failure = await runInstaller(installer)
  if (!findElectron(process.env, from)) console.log(`It could not be fetched (${failure}); going on without it.`)
  return true
}

/** Its output is the person's to see: it may take minutes. Resolves with how it ended. */
function runInstaller(installer: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [installer], { stdio: 'inherit' })
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `its installer ended with code ${code}`))
  })
}
