import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { LabMachine } from '../../src/testkit/netlab.ts'
import { scratchFolder } from '../scratch-folder.ts'
import { endProcess } from './xvfb.ts'

const SSHD = '/usr/sbin/sshd'
const PORT = 22623
const READY_MS = 20_000

/** An sshd of our own on one machine of a lab, with throw-away keys, and a client on another. Owns both, and its folder. */
export class SshPeer {
  readonly #folder: string
  readonly #from: LabMachine
  readonly #to: LabMachine
  readonly #children: ChildProcess[] = []

  private constructor(folder: string, from: LabMachine, to: LabMachine) {
    this.#folder = folder
    this.#from = from
    this.#to = to
  }

  /** Undefined where no sshd is installed. */
  static async start(from: LabMachine, to: LabMachine): Promise<SshPeer | undefined> {
    if (!existsSync(SSHD)) return undefined
    const peer = new SshPeer(scratchFolder('ew-sshd-'), from, to)
    try {
      await peer.#serve()
      await peer.#openMaster()
      return peer
    } catch (error) {
      await peer.dispose()
      throw error
    }
  }

  /** Runs a line there and takes its output; resolves with how many bytes came. */
  async run(line: string, { master }: { readonly master: boolean }): Promise<number> {
    const child = this.#from.spawn('ssh', this.#words(master ? [] : ['-S', 'none'], line), { stdio: ['ignore', 'pipe', 'inherit'] })
    let bytes = 0
    child.stdout?.on('data', (piece: Buffer) => (bytes += piece.length))
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`ssh ended with ${String(code)}`)
    return bytes
  }

  /** For programs that start ssh themselves: `-F` of this, and the other machine is `other`. Without the connection that is kept open. */
  get config(): string {
    return this.#at('config')
  }

  async dispose(): Promise<void> {
    for (const child of this.#children.splice(0).toReversed()) await endProcess(child)
    await rm(this.#folder, { recursive: true, force: true })
  }

  #at(name: string): string {
    return path.join(this.#folder, name)
  }

  #words(more: readonly string[], ...line: readonly string[]): string[] {
    const settings = {
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
      IdentitiesOnly: 'yes',
      ControlPath: this.#at('master'),
    }
    return [
      ...['-F', 'none', '-p', String(PORT), '-i', this.#at('id')],
      ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      ...more,
      `${os.userInfo().username}@${this.#to.address}`,
      ...line,
    ]
  }

  async #serve(): Promise<void> {
    for (const key of ['host', 'id']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', this.#at(key)])
    await copyFile(this.#at('id.pub'), this.#at('authorized'))
    await mkdir('/run/sshd', { recursive: true })
    const settings = {
      Port: PORT,
      ListenAddress: this.#to.address,
      HostKey: this.#at('host'),
      AuthorizedKeysFile: this.#at('authorized'),
      PidFile: 'none',
      StrictModes: 'no',
      UsePAM: 'no',
      MaxSessions: 200,
      Subsystem: 'sftp internal-sftp',
    }
    const text = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`)
    await writeFile(this.#at('sshd.conf'), text.join(''))
    const client = {
      HostName: this.#to.address,
      Port: PORT,
      User: os.userInfo().username,
      IdentityFile: this.#at('id'),
      IdentitiesOnly: 'yes',
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
    }
    const lines = Object.entries(client).map(([name, value]) => ` ${name} ${value}\n`)
    await writeFile(this.config, `Host other\n${lines.join('')}`, { mode: 0o600 })
    this.#children.push(this.#to.spawn(SSHD, ['-D', '-f', this.#at('sshd.conf')], { stdio: 'ignore' }))
  }

  /** The connection that is kept open; tried again until the server listens. */
  async #openMaster(): Promise<void> {
    const untilMs = performance.now() + READY_MS
    while (!existsSync(this.#at('master'))) {
      if (performance.now() > untilMs) throw new Error('ssh could not log in to its own sshd')
      const master = this.#from.spawn('ssh', this.#words(['-M', '-N']), { stdio: 'ignore' })
      this.#children.push(master)
      const ended = once(master, 'exit').then(() => true)
      for (let isOver = false; !isOver && !existsSync(this.#at('master')) && performance.now() < untilMs; )
        isOver = await Promise.race([ended, delay(50).then(() => false)])
      if (!existsSync(this.#at('master'))) await delay(200)
    }
  }
}
