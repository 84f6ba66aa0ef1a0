import { readFile } from 'node:fs/promises'
import { inProject } from './project.ts'

/**
 * Packages that npm drops from a lockfile made where they do not run (npm/cli#4828): each must be there for every
 * platform we ship to, or `npm ci` on that platform installs a desktop that cannot start.
 */
export const PLATFORM_PACKAGES: readonly string[] = [
  ...['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win-x64'].map((platform) => `node-bin-${platform}`),
  ...['linux-x64-gnu', 'linux-arm64-gnu', 'darwin-x64', 'darwin-arm64'].map((platform) => `litesvm-${platform}`),
  ...['linux-x64-gnu', 'linux-arm64-gnu', 'darwin-x64', 'darwin-arm64', 'win32-x64-msvc'].map(
    (platform) => `@node-datachannel/${platform}`,
  ),
  ...['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64'].map((platform) => `@lydell/node-pty-${platform}`),
  ...['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64'].map((platform) => `@esbuild/${platform}`),
  ...['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64'].map((platform) => `@biomejs/cli-${platform}`),
  ...['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64'].map((platform) => `@koromix/koffi-${platform}`),
  ...['linux-x64-gnu', 'linux-arm64-gnu', 'darwin-x64', 'darwin-arm64', 'win32-x64-msvc'].map((platform) => `@oxlint/binding-${platform}`),
]

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly link?: boolean }>>
}

/** What is wrong with package-lock.json, one line each; empty is good. */
export function lockfileFaults(lockfile: Lockfile): string[] {
  const faults: string[] = []
  for (const name of PLATFORM_PACKAGES) {
    if (!(`node_modules/${name}` in lockfile.packages))
      faults.push(`${name} is missing: make the lockfile from a clean tree (rm -rf node_modules package-lock.json && npm i)`)
  }
  for (const [place, entry] of Object.entries(lockfile.packages)) {
    if (place !== '' && !entry.link && !entry.integrity) faults.push(`${place} has no integrity hash`)
  }
  return faults
}

export async function main(): Promise<number> {
  const faults = lockfileFaults(JSON.parse(await readFile(inProject('package-lock.json'), 'utf8')))
  for (const fault of faults) console.log(`lockfile: ${fault}`)
  if (faults.length === 0) console.log(`lockfile: ${PLATFORM_PACKAGES.length} platform packages in place`)
  return faults.length === 0 ? 0 : 1
}
