import { accessSync, constants, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** Programs that have an app window (`--app`), in the order they are tried. */
const BROWSERS = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'chrome',
  'microsoft-edge',
  'microsoft-edge-stable',
  'msedge',
  'brave-browser',
  'brave',
]

const MAC_BROWSERS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  '/Applications/Brave Browser.app/Contents/MacOS/Brave Browser',
]

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Electron's binary, if it is in place. Never loads the electron package: its index fetches the binary, synchronously, as
 * soon as it is required. Reads ELECTRON_OVERRIDE_DIST_PATH, else `path.txt` and `dist` in the package.
 */
export function findElectron(env: NodeJS.ProcessEnv, from: string): string | undefined {
  if (env.ELECTRON_OVERRIDE_DIST_PATH) {
    const file = path.join(env.ELECTRON_OVERRIDE_DIST_PATH, process.platform === 'win32' ? 'electron.exe' : 'electron')
    return isExecutable(file) ? file : undefined
  }
  try {
    const folder = path.dirname(createRequire(from).resolve('electron/package.json'))
    const file = path.join(folder, 'dist', readFileSync(path.join(folder, 'path.txt'), 'utf8').trim())
    return isExecutable(file) ? file : undefined
  } catch {
    return undefined // the package is not installed, or its binary has not been fetched
  }
}

/** Where the electron package's installer lies, when the package is there. */
export function findElectronInstaller(from: string): string | undefined {
  try {
    return path.join(path.dirname(createRequire(from).resolve('electron/package.json')), 'install.js')
  } catch {
    return undefined // installed without development packages
  }
}

/** A browser that can show an app window; ELSEWHERE_BROWSER names one by path. */
export function findBrowser(env: NodeJS.ProcessEnv): string | undefined {
  if (env.ELSEWHERE_BROWSER) return isExecutable(env.ELSEWHERE_BROWSER) ? env.ELSEWHERE_BROWSER : undefined
  if (process.platform === 'darwin') return MAC_BROWSERS.find(isExecutable)
  for (const name of BROWSERS) {
    for (const folder of (env.PATH ?? '').split(path.delimiter)) {
      const file = path.join(folder, process.platform === 'win32' ? `${name}.exe` : name)
      if (folder !== '' && isExecutable(file)) return file
    }
  }
  return undefined
}

/** Is there a graphical session to open a window in? */
export const hasScreen = (env: NodeJS.ProcessEnv): boolean =>
  process.platform !== 'linux' || Boolean(env.DISPLAY) || Boolean(env.WAYLAND_DISPLAY)
