import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { E2eDevice } from '../../e2e/harness/e2e-device.ts'
import { displayContract } from '../../src/device/display-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { createClient } from '../../src/rpc/client.ts'
import { BacalhauNode } from '../../src/testkit/bacalhau-node.ts'
import { median, quantile, type Row } from '../report.ts'
import { runTrue, timed } from './run-true.ts'

const ROUNDS = 15

/** What our side of it takes: the fake begins a job at once, fetches no image and has no container. Of Bacalhau itself it says nothing. */
const OURS = {
  ...{ id: 'engines/bacalhau-true', what: '`true` through a FAKE of Bacalhau (no real node was measured): our side alone' },
  ...{ unit: 'ms, p50', must: undefined, goal: undefined },
}

export async function bacalhauRows(): Promise<readonly Row[]> {
  const node = await BacalhauNode.start({ key: 'k'.repeat(20) })
  let device: E2eDevice | undefined
  try {
    device = await E2eDevice.start({ name: 'bench' })
    await device.create('Maria')
    const folder = path.join(device.folder, 'project')
    mkdirSync(folder)
    const client = createClient(displayContract, await connectUnixSocket(dataFolderAt(device.folder).deviceSocket))
    await client.addEngine({ name: 'net', kind: 'bacalhau', url: node.url, image: 'busybox:1', token: 'k'.repeat(20) })
    const took: number[] = []
    for (let n = 0; n < ROUNDS; n++) took.push(await timed(() => runTrue(client, folder, 'engine:net')))
    client.dispose()
    return [{ ...OURS, value: median(took), met: undefined, peers: { 'ours p90': quantile(took, 0.9) }, n: ROUNDS }]
  } finally {
    await device?.dispose()
    await node.dispose()
  }
}
