import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { E2eDevice } from '../../e2e/harness/e2e-device.ts'
import { displayContract } from '../../src/device/display-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { createClient } from '../../src/rpc/client.ts'
import { createNetLab, whyNoNetLab } from '../../src/testkit/netlab.ts'
import { SlurmLab, whyNoSlurm } from '../../src/testkit/slurm-lab.ts'
import { median, notMeasured, quantile, type Row } from '../report.ts'
import { runTrue, timed } from './run-true.ts'

const ROUNDS = 15

const about = (id: string, what: string) => ({ id: `engines/${id}`, what, unit: 'ms, p50', must: undefined, goal: undefined })
const OURS = about('slurm-true', '`true` from asking this device to its end, on a real Slurm of one node')

/** `true` through Slurm, against Slurm's own commands, in turn in one run. */
export async function slurmRows(): Promise<readonly Row[]> {
  const why = whyNoNetLab() ?? whyNoSlurm()
  if (why !== undefined) return [notMeasured(OURS, why)]
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ew-slurm-bench-'))
  chmodSync(folder, 0o755) // slurmrestd runs as another account
  const lab = createNetLab('bench')
  let device: E2eDevice | undefined
  let slurm: SlurmLab | undefined
  try {
    device = await E2eDevice.start({ name: 'bench', machine: lab.machine('bench') })
    await device.create('Maria')
    slurm = await SlurmLab.start(lab.machine('bench'), path.join(folder, 'own'))
    const client = createClient(displayContract, await connectUnixSocket(dataFolderAt(device.folder).deviceSocket))
    const token = slurm.token().replace('SLURM_JWT=', '')
    await client.addEngine({ name: 'cluster', kind: 'slurm', url: slurm.url, user: 'root', shared: device.folder, token })
    const folderOfJobs = device.folder
    const took = { ours: [] as number[], srun: [] as number[], sbatch: [] as number[] }
    for (let n = 0; n < ROUNDS; n++) {
      took.ours.push(await timed(() => runTrue(client, folderOfJobs, 'engine:cluster')))
      took.srun.push(await timed(async () => void slurm?.run('srun', 'true')))
      took.sbatch.push(await timed(async () => void slurm?.run('sbatch', '--wait', '--output=/dev/null', '--wrap=true')))
    }
    client.dispose()
    const peers = { srun: median(took.srun), 'sbatch --wait': median(took.sbatch), 'ours p90': quantile(took.ours, 0.9) }
    return [{ ...OURS, value: median(took.ours), met: undefined, peers, n: ROUNDS }]
  } finally {
    await device?.dispose()
    await slurm?.dispose()
    lab.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
}
