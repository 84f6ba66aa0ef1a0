import path from 'node:path'
import { expect, vi } from 'vitest'
import { type LabAccount, MountLab } from '../../testkit/mount-lab.ts'
import { processesNaming, RunningDevice, runCommand } from './running-device.suite.ts'

/** A files process that was ended comes back within half a minute. */
const MOUNT_PATIENCE = { timeout: 60_000, interval: 50 }
const PASSPHRASE = 'correct horse battery\n'

export interface MountedDeviceOptions {
  readonly account?: LabAccount
  readonly name?: string
  readonly person?: string
  /** Added to what it is started with. */
  readonly env?: NodeJS.ProcessEnv
}

/**
 * A whole device with its datasets mounted in a lab. One of root is told where; one of an ordinary account has its data
 * where an installed one has it, in its own home, and is told nothing.
 */
export class MountedDevice {
  readonly lab: MountLab
  readonly device: RunningDevice
  /** The folder that everything is mounted at, and the dataset in it. */
  readonly at: string
  readonly home: string
  readonly #environment: NodeJS.ProcessEnv

  private constructor(lab: MountLab, env: NodeJS.ProcessEnv) {
    const { ordinary, folder } = lab
    this.lab = lab
    this.at = lab.at(ordinary ? 'Elsewhere' : 'mnt')
    this.home = path.join(this.at, 'Home')
    const place = ordinary ? { HOME: folder, XDG_DATA_HOME: undefined, ELSEWHERE_MOUNT: undefined } : { ELSEWHERE_MOUNT: this.at }
    this.#environment = { ...place, ...env }
    this.device = ordinary
      ? new RunningDevice(path.join(folder, '.local/share/elsewhere'), (command, args) => ordinary.wrap(command, args, folder))
      : new RunningDevice()
  }

  /** Started, made and mounted. */
  static async open({ account = 'root', name = 'Lamp', person = 'Ada', env = {} }: MountedDeviceOptions = {}): Promise<MountedDevice> {
    const made = new MountedDevice(await MountLab.open(account), env)
    try {
      await made.start()
      const create = ['create', '--person', person, '--device', name, '--unattended', '--data', made.device.folder]
      expect(made.command(create, PASSPHRASE)).toMatchObject({ status: 0 })
      await made.mounted()
      return made
    } catch (error) {
      await made.close()
      throw error
    }
  }

  start(): Promise<void> {
    return this.device.start(undefined, this.#environment)
  }

  command(args: readonly string[], input = '') {
    const { ordinary, folder } = this.lab
    const wrap = ordinary && ((command: string, words: readonly string[]) => ordinary.wrap(command, words, folder))
    return runCommand(args, { input, env: this.#environment, ...(wrap ? { wrap } : {}) })
  }

  fs(...args: string[]) {
    return this.command(['fs', ...args, '--data', this.device.folder])
  }

  async mounted(): Promise<void> {
    await vi.waitFor(async () => {
      if (!(await this.#answers())) throw new Error(`nothing of ours answers at ${this.at}: ${this.device.output.join('').slice(-500)}`)
    }, MOUNT_PATIENCE)
  }

  get filesPid(): number {
    return processesNaming(this.device.mark).find(({ command }) => command.includes('files-main'))?.pid ?? 0
  }

  async close(): Promise<void> {
    await this.device.dispose()
    await this.lab.close()
  }

  /**
   * A dead mount answers from what the kernel kept: only a name that was never asked for is asked of us. Nor does the bare folder count, which
   * is there between the dead mount and the next.
   */
  async #answers(): Promise<boolean> {
    const names = [this.lab.folder, this.home, path.join(this.home, `none-${performance.now()}`)]
    const { stdout, stderr } = await this.lab.look('stat', ['-c', '%d', ...names])
    const [outside = '', inside = '', ...more] = stdout.trim().split('\n')
    return inside !== '' && inside !== outside && more.length === 0 && stderr.includes('No such file')
  }
}
