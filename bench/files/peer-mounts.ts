import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readMountTable } from '../../src/platform/node/fuse/mount-table.ts'
import { endProcess } from '../peers/xvfb.ts'
import { scratchFolder } from '../scratch-folder.ts'

const SSHD = '/usr/sbin/sshd'
const MOUNTED_PATIENCE_MS = 30_000
const ENDING_MS = 60_000

/** A folder of this machine as people mount it today from another one: over ssh, on loopback. */
export interface PeerMount {
  readonly name: 'sshfs' | 'rclone'
  readonly at: string
  /** As it was typed. */
  readonly commandLine: string
  /** Ends and begins again, with nothing kept. */
  remount(): Promise<void>
  end(): Promise<void>
}

/** An sshd with keys of its own on loopback; owns process and folder. */
export class LoopbackSshd {
  readonly folder: string
  readonly port: number
  readonly #process: ChildProcess

  private constructor(folder: string, port: number, process: ChildProcess) {
    this.folder = folder
    this.port = port
    this.#process = process
  }

  /** Why no peer can be measured; undefined: they can. */
  static whyNot(program: string): string | undefined {
    if (!existsSync(SSHD)) return 'no sshd is installed (apt-get install openssh-server)'
    return spawnSync('which', [program]).status === 0 ? undefined : `${program} is not installed (apt-get install ${program})`
  }

  static async start(): Promise<LoopbackSshd> {
    const folder = scratchFolder('ew-sshd-')
    const at = (name: string) => path.join(folder, name)
    for (const key of ['host', 'id']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)])
    await copyFile(at('id.pub'), at('authorized'))
    await mkdir('/run/sshd', { recursive: true })
    const port = await freePort()
    const settings = {
      Port: port,
      ListenAddress: '127.0.0.1',
      HostKey: at('host'),
      AuthorizedKeysFile: at('authorized'),
      StrictModes: 'no',
      UsePAM: 'no',
      Subsystem: 'sftp internal-sftp',
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`)
    await writeFile(at('sshd.conf'), lines.join(''))
    const child = spawn(SSHD, ['-D', '-f', at('sshd.conf')], { stdio: 'ignore' })
    process.once('exit', () => child.kill())
    await delay(1_000)
    return new LoopbackSshd(folder, port, child)
  }

  async sshfs(of: string, at: string): Promise<PeerMount> {
    const options = [
      ...[`-p${this.port}`, `-oIdentityFile=${this.folder}/id`],
      ...['-oStrictHostKeyChecking=no', '-oUserKnownHostsFile=/dev/null', '-oLogLevel=ERROR', '-oIdentitiesOnly=yes', '-f'],
    ]
    return mountPeer('sshfs', ['sshfs', ...options, `${os.userInfo().username}@127.0.0.1:${of}`, at], at)
  }

  async rclone(of: string, at: string): Promise<PeerMount> {
    const config = path.join(this.folder, 'rclone.conf')
    const cache = path.join(this.folder, 'rclone-cache')
    const remote = { type: 'sftp', host: '127.0.0.1', port: this.port, user: os.userInfo().username, key_file: `${this.folder}/id` }
    const more = { shell_type: 'unix', md5sum_command: 'none', sha1sum_command: 'none' }
    const lines = Object.entries({ ...remote, ...more }).map(([name, value]) => `${name} = ${value}\n`)
    await writeFile(config, `[r]\n${lines.join('')}`)
    const words = ['rclone', '--config', config, 'mount', `r:${of}`, at, '--vfs-cache-mode', 'full', '--cache-dir', cache]
    return mountPeer('rclone', words, at, cache)
  }

  async end(): Promise<void> {
    await endProcess(this.#process)
    await rm(this.folder, { recursive: true, force: true })
  }
}

async function mountPeer(name: PeerMount['name'], words: readonly string[], at: string, cache?: string): Promise<PeerMount> {
  await mkdir(at, { recursive: true })
  let child: ChildProcess | undefined
  const isThere = () => readMountTable().some((line) => line.at === at)
  const begin = async () => {
    const [program = '', ...args] = words
    const begun = spawn(program, args, { stdio: 'ignore' })
    process.once('exit', () => begun.kill()) // it takes its mount with it
    child = begun
    const giveUpMs = performance.now() + MOUNTED_PATIENCE_MS
    while (!isThere()) {
      if (child.exitCode !== null || performance.now() > giveUpMs) throw new Error(`${name} did not mount`)
      await delay(20)
    }
  }
  const end = async () => {
    spawnSync('sync', ['-f', at])
    const giveUpMs = performance.now() + ENDING_MS
    while (isThere() && performance.now() < giveUpMs) {
      if (spawnSync('umount', [at]).status !== 0) await delay(500)
    }
    if (isThere()) spawnSync('umount', ['-l', at])
    if (child) await endProcess(child, ENDING_MS)
    if (cache) await rm(cache, { recursive: true, force: true })
  }
  await begin()
  const remount = async () => {
    await end()
    await begin()
  }
  return { name, at, commandLine: words.join(' '), remount, end }
}

/** Another program could take it in between; it would say so. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
