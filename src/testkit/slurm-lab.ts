import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { LabMachine } from './netlab.ts'

const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'slurmrestd', 'srun', 'sbatch', 'scontrol', 'setpriv', 'nsenter']
const REST_PORT = 17_002
const NOBODY = '65534'
const READY_MS = 30_000

/**
 * Why there can be no Slurm here, in one sentence; undefined: there can. In CI on Debian as root that is a failure, not a reason.
 *
 * @throws Error  there
 */
export function whyNoSlurm(): string | undefined {
  const missing = PROGRAMS.find((name) => !['/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((at) => existsSync(path.join(at, name))))
  const isRoot = process.getuid?.() === 0
  if (process.env.CI && isRoot && missing && existsSync('/etc/debian_version'))
    throw new Error(`${missing} is missing: apt-get install slurmctld slurmd slurmrestd slurm-client munge slurm-wlm-jwt-plugin`)
  if (!isRoot) return 'a Slurm of its own needs root'
  return missing && `${missing} is not installed: slurmctld slurmd slurmrestd slurm-client munge slurm-wlm-jwt-plugin`
}

/**
 * A real Slurm on one machine of a lab: munge, slurmctld, one slurmd and slurmrestd with keys, sockets and a data folder of its own;
 * nothing of it is a service of this system. Each is ended by its own pid.
 */
export class SlurmLab {
  readonly url: string
  readonly conf: string
  readonly #machine: LabMachine
  readonly #folder: string
  readonly #running = new Map<string, ChildProcess>()

  private constructor(machine: LabMachine, folder: string) {
    this.#machine = machine
    this.#folder = folder
    this.conf = path.join(folder, 'slurm.conf')
    this.url = `http://127.0.0.1:${REST_PORT}`
  }

  /** @param folder  is made; whoever asks removes it */
  static async start(machine: LabMachine, folder: string): Promise<SlurmLab> {
    const lab = new SlurmLab(machine, folder)
    try {
      await lab.#start()
      return lab
    } catch (error) {
      await lab.dispose()
      throw error
    }
  }

  /** What `scontrol token` prints, good for an hour. */
  token(): string {
    return this.run('scontrol', 'token', 'username=root', 'lifespan=3600').trim()
  }

  /** One of Slurm's own commands, there. @throws Error  it fails */
  run(command: string, ...args: readonly string[]): string {
    return execFileSync('nsenter', [this.#net, command, ...args], {
      env: this.#env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    })
  }

  /** Jobs that Slurm has or had, `name state`. */
  jobs(): string[] {
    return this.run('squeue', '--states=all', '--noheader', '--format=%j %T').trim().split('\n').filter(Boolean)
  }

  /** A node that was set down; one that has come back by itself is no error (`ReturnToService`). */
  bringBack(node: string): void {
    try {
      this.run('scontrol', 'update', `nodename=${node}`, 'state=resume')
    } catch (error) {
      if (!String((error as { stderr?: unknown }).stderr ?? error).includes('Invalid node state')) throw error
    }
  }

  async startRest(): Promise<void> {
    const rest = [
      'setpriv',
      '--reuid',
      NOBODY,
      '--regid',
      NOBODY,
      '--clear-groups',
      'slurmrestd',
      '-a',
      'rest_auth/jwt',
      '-s',
      'v0.0.38',
      `127.0.0.1:${REST_PORT}`,
    ]
    this.#spawn('slurmrestd', rest, { SLURM_JWT: 'daemon' })
    await this.#until('slurmrestd answers', () => {
      execFileSync('nsenter', [this.#net, 'bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${REST_PORT}`], { stdio: 'ignore' })
      return true
    })
  }

  stopRest(): Promise<void> {
    return this.#stop('slurmrestd')
  }

  async dispose(): Promise<void> {
    for (const name of [...this.#running.keys()].reverse()) await this.#stop(name)
  }

  get #net(): string {
    return `--net=/run/netns/${this.#machine.namespace}`
  }

  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, SLURM_CONF: this.conf, LC_ALL: 'C' }
  }

  async #start(): Promise<void> {
    const at = (name: string) => path.join(this.#folder, name)
    // Others' accounts must reach the configuration: slurmrestd does not run as root.
    for (const name of ['', 'state', 'spool', 'run', 'log']) mkdirSync(at(name), { recursive: true, mode: 0o755 })
    writeFileSync(at('munge.key'), randomBytes(1024), { mode: 0o400 })
    writeFileSync(at('jwt.key'), randomBytes(32), { mode: 0o600 })
    writeFileSync(this.conf, this.#configuration(at))
    const socket = at('run/munge.sock')
    const files = ['key-file=munge.key', 'pid-file=run/munged.pid', 'seed-file=run/seed', 'log-file=log/munged']
    const own = files.map((one) => `--${one.replace('=', `=${this.#folder}/`)}`)
    this.#spawn('munged', ['munged', '--foreground', '--force', `--socket=${socket}`, ...own])
    await this.#until('munge has its socket', () => existsSync(socket))
    this.#spawn('slurmctld', ['slurmctld', '-D'])
    this.#spawn('slurmd', ['slurmd', '-D', '-N', 'n1'])
    await this.#until('its node is idle', () => this.run('sinfo', '--noheader', '--format=%t').trim() === 'idle')
    await this.startRest()
  }

  #configuration(at: (name: string) => string): string {
    const host = os.hostname()
    // Ours alone: no cgroups, no accounting, and a scheduler that looks at once.
    return `${[
      'ClusterName=ew',
      `SlurmctldHost=${host}(${this.#machine.address})`,
      'SlurmUser=root',
      'SlurmdUser=root',
      'AuthType=auth/munge',
      // A job that is requeued waits so long before it is begun again.
      `AuthInfo=socket=${at('run/munge.sock')},cred_expire=5`,
      'AuthAltTypes=auth/jwt',
      `AuthAltParameters=jwt_key=${at('jwt.key')}`,
      'SlurmctldPort=17000',
      `StateSaveLocation=${at('state')}`,
      `SlurmdSpoolDir=${at('spool')}/%n`,
      `SlurmctldPidFile=${at('run/ctld.pid')}`,
      `SlurmdPidFile=${at('run')}/%n.pid`,
      `SlurmctldLogFile=${at('log/ctld')}`,
      `SlurmdLogFile=${at('log')}/%n`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_Core',
      'SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1',
      'ReturnToService=2',
      'KillWait=2',
      'JobAcctGatherType=jobacct_gather/none',
      'AccountingStorageType=accounting_storage/none',
      `NodeName=n1 NodeHostname=${host} NodeAddr=${this.#machine.address} Port=17001 CPUs=2 State=UNKNOWN`,
      'PartitionName=main Nodes=n1 Default=YES MaxTime=60 State=UP',
    ].join('\n')}\n`
  }

  /** Not by `ip netns exec`, which gives it another /sys, without the cgroups that slurmd looks for. */
  #spawn(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
    const child = spawn('nsenter', [this.#net, ...args], { env: { ...this.#env, ...env }, stdio: 'ignore' })
    this.#running.set(name, child)
  }

  async #stop(name: string): Promise<void> {
    const child = this.#running.get(name)
    this.#running.delete(name)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await ended
    clearTimeout(late)
  }

  async #until(what: string, look: () => boolean): Promise<void> {
    const giveUpMs = performance.now() + READY_MS
    for (;;) {
      try {
        if (look()) return
      } catch {
        // not yet
      }
      if (performance.now() > giveUpMs)
        throw new Error(`Slurm did not come up: ${what} not within ${READY_MS} ms (logs in ${this.#folder}/log)`)
      await delay(50)
    }
  }
}
