import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Disposable } from '../base/disposable.ts'

/** The account without rights that every Linux has a line for: fusermount3 refuses one it knows no name of. */
const NOBODY = 65_534
const DEVICE = '/dev/fuse'
/** What the namespace is made and entered with; all of util-linux and coreutils, so of every Debian. */
const TOOLS = ['unshare', 'nsenter', 'setpriv', 'env']

/** @returns why no program can be run as an ordinary account that mounts, in one sentence; undefined when it can */
export function whyNoOrdinaryAccount(program: string): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can become another account'
  const lacking = TOOLS.find((name) => findOnPath(name) === undefined)
  if (lacking) return `${lacking} is not installed`
  const helper = findOnPath('fusermount3')
  if (helper === undefined) return 'fuse3 is not installed'
  if ((statSync(helper).mode & 0o4000) === 0) return `${helper} is not set-user-id`
  const script = `require('fs').accessSync(${JSON.stringify(program)}, 4)`
  const { status } = spawnSync('setpriv', [...AS_NOBODY, process.execPath, '-e', script], { cwd: '/' })
  return status === 0 ? undefined : `other accounts cannot read ${program}, or not run ${process.execPath}`
}

const findOnPath = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file))

const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--']

/**
 * In a mount namespace of its own: what others mounted is let go (their mounts would live as long as this copy of the
 * table), and /dev/fuse is open to every account, as udev leaves it; in many containers it is root's only. It ends with
 * its standard input, so also when the test is killed.
 */
const NAMESPACE = `
awk '/ - fuse[. ]/ { print $5 }' /proc/self/mountinfo | while read -r at; do umount -l "$at" || true; done
mount -t tmpfs -o mode=755 tmpfs "$1"
mknod -m 666 "$1/fuse" c 10 229
mount --bind "$1/fuse" ${DEVICE}
umount -l "$1"
echo ready
exec cat > /dev/null`

/** Starts programs as an account with no rights but a folder of its own, its home. What they mount, only they see. */
export class OrdinaryAccount implements Disposable {
  readonly uid = NOBODY
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess) {
    this.#holder = holder
  }

  /** @param folder  an empty one of root's, for a moment */
  static async open(folder: string): Promise<OrdinaryAccount> {
    mkdirSync(folder)
    const words = ['--mount', '--propagation', 'private', '--', 'bash', '-euc', NAMESPACE, 'bash', folder]
    const holder = spawn('unshare', words, { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' })
    let said = ''
    holder.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve())
      holder.once('exit', () => reject(new Error(`no namespace for an ordinary account: ${said}`)))
    })
    return new OrdinaryAccount(holder)
  }

  /** A command line of root that runs this one as the account; the process keeps its number. */
  wrap(command: string, args: readonly string[], cwd: string): readonly [string, readonly string[]] {
    return this.enter('setpriv', [...AS_NOBODY, 'env', `--chdir=${cwd}`, '--', command, ...args])
  }

  /** As root, where the account's mounts are seen. */
  enter(command: string, args: readonly string[]): readonly [string, readonly string[]] {
    return ['nsenter', ['--mount', `--target=${this.#holder.pid}`, '--', command, ...args]]
  }

  /** Its own /proc/self/mountinfo. */
  get mountTable(): string {
    const file = path.join('/proc', String(this.#holder.pid), 'mountinfo')
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }

  /** What is mounted in it goes with it, once its programs have ended. */
  dispose(): void {
    this.#holder.kill('SIGKILL')
  }
}
