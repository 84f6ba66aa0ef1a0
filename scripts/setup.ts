import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { findProgram, isRoot, run } from './project.ts'

export interface Need {
  readonly what: string
  readonly packages: readonly string[]
  /** Skipped tests for want of it are no failure in CI. */
  readonly mayLack?: boolean
  /** Installed only where this says so; absent: everywhere. */
  readonly isWanted?: () => boolean
  /** Without it the tests that need it fail, or are skipped and counted as skipped. */
  readonly isThere: () => boolean
}

/** What the tests need from the operating system besides Node. */
export const NEEDS: readonly Need[] = [
  {
    what: 'a Chromium',
    packages: ['chromium'],
    isThere: () => findProgram('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable') !== undefined,
  },
  { what: 'network namespaces', packages: ['iproute2'], isThere: () => findProgram('ip') !== undefined || existsSync('/usr/sbin/ip') },
  { what: 'a virtual screen', packages: ['xvfb', 'xauth'], isThere: () => findProgram('Xvfb') !== undefined },
  { what: 'a sandbox for jobs', packages: ['bubblewrap'], isThere: () => findProgram('bwrap') !== undefined },
  { what: 'FUSE', packages: ['fuse3'], isThere: () => findProgram('fusermount3') !== undefined },
  {
    // As services they are not wanted: tests start their own (src/testkit/slurm-lab.ts).
    what: 'Slurm',
    packages: ['slurmctld', 'slurmd', 'slurmrestd', 'slurm-client', 'munge', 'slurm-wlm-jwt-plugin'],
    mayLack: process.env.CI === undefined,
    isWanted: () => process.env.CI !== undefined && existsSync('/etc/debian_version'),
    isThere: () => existsSync('/usr/sbin/slurmrestd') && existsSync('/usr/sbin/munged'),
  },
  // What people work with in the mount; tests run each there.
  { what: 'a C compiler', packages: ['gcc', 'libc6-dev'], isThere: () => findProgram('gcc') !== undefined },
  { what: 'make', packages: ['make'], isThere: () => findProgram('make') !== undefined },
  { what: 'git', packages: ['git'], isThere: () => findProgram('git') !== undefined },
  { what: 'Python', packages: ['python3'], isThere: () => findProgram('python3') !== undefined },
  { what: 'rsync', packages: ['rsync'], isThere: () => findProgram('rsync') !== undefined },
  { what: 'zsh', packages: ['zsh'], mayLack: true, isThere: () => findProgram('zsh') !== undefined },
  { what: 'tmux', packages: ['tmux'], mayLack: true, isThere: () => findProgram('tmux') !== undefined },
  { what: 'fish', packages: ['fish'], mayLack: true, isThere: () => findProgram('fish') !== undefined },
]

/**
 * Installs from Debian what is missing, when it may (root, apt-get there); otherwise prints the one line to run.
 *
 * @returns what is still missing
 */
export async function installNeeds(): Promise<readonly Need[]> {
  const missing = NEEDS.filter((need) => need.isWanted?.() !== false && !need.isThere())
  if (missing.length === 0) return []
  const packages = missing.flatMap((need) => need.packages)
  const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  if (isRoot() && findProgram('apt-get')) {
    console.log(`setup: installing ${packages.join(', ')} from Debian`)
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    const update = await run('apt-get', ['update', '-qq'], { env })
    const release = holdServices()
    const install = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env })
    release()
    if (install.code !== 0) console.log(`setup: apt-get failed\n${update.output.slice(-500)}${install.output.slice(-1500)}`)
  } else {
    console.log(`setup: ${missing.map((need) => need.what).join(', ')} missing. Run once:  sudo ${line}`)
  }
  return NEEDS.filter((need) => need.isWanted?.() !== false && !need.isThere())
}

/** While packages are installed none of them starts a service, as Debian's policy-rc.d has it. @returns what takes that away again */
function holdServices(): () => void {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return () => {}
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return () => rmSync(policy, { force: true })
}

export async function main(): Promise<number> {
  const missing = await installNeeds()
  console.log(
    missing.length === 0 ? 'setup: everything is in place' : `setup: still missing: ${missing.map((need) => need.what).join(', ')}`,
  )
  return missing.length === 0 ? 0 : 1
}
