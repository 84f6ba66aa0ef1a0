import { execFileSync, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endProcess } from '../peers/xvfb.ts'
import { SSHD_PORT, type BenchLab } from './bench-lab.ts'
import { typeLetters } from './echo.ts'

const SSHD = '/usr/sbin/sshd'

/**
 * The same letters through ssh from B into a pty on A, with throw-away keys, on the path that the lab's links take.
 *
 * @throws Error  there is no sshd here
 */
export async function sshEchoTimes(lab: BenchLab, keys: number): Promise<readonly number[]> {
  if (!existsSync(SSHD)) throw new Error('no sshd is installed')
  const [a, b] = [lab.machine('a').machine, lab.machine('b').machine]
  const folder = await mkdtemp(path.join(os.tmpdir(), 'ew-ssh-'))
  const children: ChildProcess[] = []
  try {
    const at = (name: string) => path.join(folder, name)
    for (const key of ['host', 'id']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)])
    await copyFile(at('id.pub'), at('authorized'))
    await mkdir('/run/sshd', { recursive: true })
    const settings = {
      ListenAddress: a.address,
      HostKey: at('host'),
      AuthorizedKeysFile: at('authorized'),
      StrictModes: 'no',
      UsePAM: 'no',
    }
    await writeFile(
      at('sshd.conf'),
      `Port ${SSHD_PORT}\n${Object.entries(settings)
        .map(([name, value]) => `${name} ${value}\n`)
        .join('')}`,
    )
    children.push(a.spawn(SSHD, ['-D', '-f', at('sshd.conf')], { stdio: 'ignore' }))
    await delay(1_000)
    const trust = [
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
      '-o',
      'LogLevel=ERROR',
      '-o',
      'IdentitiesOnly=yes',
    ]
    const { host, port } = lab.sshAddress
    const target = ['-tt', '-F', 'none', '-p', String(port), '-i', at('id'), ...trust, `${os.userInfo().username}@${host}`]
    const ssh = b.spawn('ssh', [...target, 'exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
    children.push(ssh)
    return await typeLetters(
      keys,
      (letter) => void ssh.stdin?.write(letter),
      (listener) => {
        ssh.stdout?.removeAllListeners('data').on('data', (chunk) => listener(String(chunk)))
      },
    )
  } finally {
    for (const child of children.reverse()) await endProcess(child)
    await rm(folder, { recursive: true, force: true })
  }
}
