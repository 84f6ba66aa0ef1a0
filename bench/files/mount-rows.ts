import { mkdtemp, mkdir, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { RunningDevice, runCommand } from '../../src/main/daemon/running-device.suite.ts'
import { whyNoMounts } from '../../src/testkit/mount-lab.ts'
import { notMeasured, type Row } from '../report.ts'
import { isLessThan, verdict } from '../verdict.ts'
import { makeInputs, type MountStep, stepsOf, timeSteps } from './mount-steps.ts'
import { LoopbackSshd, type PeerMount } from './peer-mounts.ts'

type Seconds = ReadonlyMap<string, number>
const PEERS = ['sshfs', 'rclone'] as const

/** What was measured of a peer, or why it was not. */
interface MeasuredPeer {
  readonly name: (typeof PEERS)[number]
  readonly seconds: Seconds
  readonly commandLine: string
}

/**
 * The mount of a whole device, the disk below it, and what people mount today, one after the other, with the same inputs.
 * `--small`: a tenth of it; `--mib N`, `--files N`: other sizes.
 */
export async function measureMount(args: readonly string[]): Promise<readonly Row[]> {
  const isSmall = args.includes('--small')
  const mib = numberOf(args, '--mib') ?? (isSmall ? 100 : 1024)
  const steps = stepsOf(mib, numberOf(args, '--files') ?? (isSmall ? 1_000 : 10_000))
  const why = whyNoMounts()
  if (why !== undefined) return steps.map((step) => notMeasured({ ...row(step), unit: 's' }, why))
  const folder = await mkdtemp(path.join(os.tmpdir(), 'elsewhere-bench-'))
  const work = path.join(folder, 'work')
  const device = new RunningDevice()
  try {
    await makeInputs(work, mib)
    await mkdir(path.join(folder, 'disk'))
    const native = await timeSteps({ name: 'disk', at: path.join(folder, 'disk') }, work, steps)
    const at = path.join(folder, 'mnt')
    await device.start(undefined, { ELSEWHERE_MOUNT: at })
    const create = ['create', '--person', 'Ada', '--device', 'Lamp', '--unattended', '--data', device.folder]
    const made = runCommand(create, { input: 'correct horse battery\n' })
    if (made.status !== 0) throw new Error(made.stderr)
    const home = path.join(at, 'Home')
    while (!(await stat(home).catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 50))
    const ours = await timeSteps({ name: 'elsewhere', at: home }, work, steps)
    const peers: MeasuredPeer[] = []
    for (const name of PEERS) peers.push(await measurePeer(name, folder, work, steps))
    return steps.map((step) => rowOf(step, ours.get(step.id), native.get(step.id), peers))
  } finally {
    await device.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Only the steps that are to be ahead of it. A peer that cannot be measured says why in place of its command line. */
async function measurePeer(name: MeasuredPeer['name'], folder: string, work: string, steps: readonly MountStep[]): Promise<MeasuredPeer> {
  const why = LoopbackSshd.whyNot(name)
  if (why !== undefined) return { name, seconds: new Map(), commandLine: why }
  const sshd = await LoopbackSshd.start()
  let mount: PeerMount | undefined
  try {
    const of = path.join(folder, `${name}-files`)
    await mkdir(of)
    mount = await sshd[name](of, path.join(folder, name))
    const asked = steps.filter(({ aheadOf }) => aheadOf.includes(name))
    const seconds = await timeSteps({ name, at: mount.at, forget: mount.remount }, work, asked)
    return { name, seconds, commandLine: mount.commandLine }
  } catch (error) {
    return { name, seconds: new Map(), commandLine: `not measured: ${String(error)}` }
  } finally {
    await mount?.end()
    await sshd.end()
  }
}

function numberOf(args: readonly string[], name: string): number | undefined {
  const at = args.indexOf(name)
  const value = at < 0 ? Number.NaN : Number(args[at + 1])
  return Number.isInteger(value) && value > 0 ? value : undefined
}

const row = ({ id, what, atMost, atLeast, goal, aheadOf }: MountStep) => ({
  id: `mount-${id}`,
  what,
  must: `${atMost === undefined ? `at least ${atLeast} of the disk's speed` : `at most ${atMost} times the disk`}${
    aheadOf.length > 0 ? `, ahead of ${aheadOf.join(' and ')}` : ''
  }`,
  goal,
})

function rowOf(step: MountStep, ours: number | undefined, native: number | undefined, peers: readonly MeasuredPeer[]): Row {
  if (ours === undefined || native === undefined) return notMeasured({ ...row(step), unit: 's' }, 'a step failed')
  const ratio = ours / native
  const isFast = step.atMost === undefined ? 1 / ratio >= (step.atLeast ?? 0) : ratio <= step.atMost
  const others = peers.filter(({ name }) => step.aheadOf.includes(name))
  const measured = others.flatMap(({ name, seconds }) => {
    const value = seconds.get(step.id)
    return value === undefined ? [] : [[name, value] as const]
  })
  const missing = others.filter(({ name }) => !measured.some(([there]) => there === name))
  return {
    ...row(step),
    value: ours,
    unit: `s (${ratio.toFixed(1)}x)`,
    met: verdict(
      isFast,
      isLessThan(
        ours,
        others.map(({ seconds }) => seconds.get(step.id)),
      ),
    ),
    peers: { ext4: native, 'times ext4': ratio, ...Object.fromEntries(measured) },
    ...(others.length > 0 && { commands: Object.fromEntries(others.map(({ name, commandLine }) => [name, commandLine])) }),
    ...(missing.length > 0 && { why: missing.map(({ name, commandLine }) => `${name}: ${commandLine}`).join('; ') }),
    n: 1,
  }
}
