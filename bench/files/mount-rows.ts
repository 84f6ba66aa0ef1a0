import { mkdtemp, mkdir, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { RunningDevice, runCommand } from '../../src/main/daemon/running-device.suite.ts'
import { whyNoMounts } from '../../src/testkit/mount-lab.ts'
import { notMeasured, type Row } from '../report.ts'
import { makeInputs, type MountStep, stepsOf, timeSteps } from './mount-steps.ts'

/** The mount of a whole device and the disk below it, one after the other, with the same inputs. `--small`: a tenth of it. */
export async function measureMount(args: readonly string[]): Promise<readonly Row[]> {
  const isSmall = args.includes('--small')
  const steps = stepsOf(isSmall ? 100 : 1024, isSmall ? 1_000 : 10_000)
  const why = whyNoMounts()
  if (why !== undefined) return steps.map((step) => notMeasured({ ...row(step), unit: 's' }, why))
  const folder = await mkdtemp(path.join(os.tmpdir(), 'elsewhere-bench-'))
  const work = path.join(folder, 'work')
  const device = new RunningDevice()
  try {
    await makeInputs(work, isSmall ? 100 : 1024)
    await mkdir(path.join(folder, 'disk'))
    const native = await timeSteps(path.join(folder, 'disk'), work, steps)
    const at = path.join(folder, 'mnt')
    await device.start(undefined, { ELSEWHERE_MOUNT: at })
    const create = ['create', '--person', 'Ada', '--device', 'Lamp', '--unattended', '--data', device.folder]
    const made = runCommand(create, { input: 'correct horse battery\n' })
    if (made.status !== 0) throw new Error(made.stderr)
    const home = path.join(at, 'Home')
    while (!(await stat(home).catch(() => undefined))) await new Promise((resolve) => setTimeout(resolve, 50))
    const ours = await timeSteps(home, work, steps)
    return steps.map((step) => rowOf(step, ours.get(step.id), native.get(step.id)))
  } finally {
    await device.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}

const row = ({ id, what, atMost, atLeast, goal }: MountStep) => ({
  id: `mount-${id}`,
  what,
  must: atMost === undefined ? `at least ${atLeast} of the disk's speed` : `at most ${atMost} times the disk`,
  goal,
})

function rowOf(step: MountStep, ours: number | undefined, native: number | undefined): Row {
  if (ours === undefined || native === undefined) return notMeasured({ ...row(step), unit: 's' }, 'a step failed')
  const ratio = ours / native
  const met = step.atMost === undefined ? 1 / ratio >= (step.atLeast ?? 0) : ratio <= step.atMost
  return { ...row(step), value: ours, unit: `s (${ratio.toFixed(1)}x)`, met, peers: { ext4: native }, n: 1 }
}
