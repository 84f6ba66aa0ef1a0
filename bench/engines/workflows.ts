import { spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { E2eDevice } from '../../e2e/harness/e2e-device.ts'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import { base64Of } from '../../src/base/base64.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { displayContract } from '../../src/device/display-contract.ts'
import { DATASET_ROOT } from '../../src/files/dataset-contract.ts'
import type { WorkflowInfo } from '../../src/jobs/workflow/workflow-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../../src/rpc/client.ts'
import type { Row } from '../report.ts'

/** With two that need all of them: fifty. */
const LEAVES = 48
/** The same at once for us and for make: they share the machine's cores. */
const PARALLEL = 2

const numbers = Array.from({ length: LEAVES }, (_, n) => n + 1)
const workflowText = `name: fifty
parallel: ${PARALLEL}
jobs:
  count:
    matrix: { n: [${numbers.join(', ')}] }
    inputs: ["in/\${{ matrix.n }}"]
    run: wc -c < in/\${{ matrix.n }} > count-\${{ matrix.n }}
    outputs: ["count-\${{ matrix.n }}"]
  sum: { needs: [count], run: "cat count-* > sum", outputs: [sum] }
  page: { needs: [sum], run: "sort -n sum > page", outputs: [page] }
`
const makefile = `all: page
page: sum
\tsort -n sum > page
sum: ${numbers.map((n) => `count-${n}`).join(' ')}
\tcat count-* > sum
count-%: in/%
\twc -c < $< > $@
`

interface Measured {
  readonly seconds: number
  /** Steps or recipes that ran. */
  readonly ran: number
}

/** A workflow of fifty steps, run whole, unchanged, and with one input changed; beside it GNU make with the same commands. */
export async function workflowRows(): Promise<readonly Row[]> {
  const device = await E2eDevice.start({ name: 'bench' })
  const folder = await mkdtemp(path.join(os.tmpdir(), 'ew-make-'))
  try {
    await device.create('Maria')
    const client = createClient(displayContract, await connectUnixSocket(dataFolderAt(device.folder).deviceSocket))
    const make = spawnSync('make', ['--version']).status === 0
    await mkdir(path.join(folder, 'in'))
    await writeFile(path.join(folder, 'Makefile'), makefile)
    const inputs = await Inputs.open(client, folder)
    for (const n of numbers) await inputs.put(n, `input ${n}\n`)
    const whole = { ours: await runWorkflow(client), make: make ? await runMake(folder) : undefined }
    const again = { ours: await runWorkflow(client), make: make ? await runMake(folder) : undefined }
    await inputs.put(7, 'another input, which is longer\n')
    const changed = { ours: await runWorkflow(client), make: make ? await runMake(folder) : undefined }
    client.dispose()
    return [
      row('whole', `workflow of ${LEAVES + 2} steps, all run`, whole, LEAVES + 2),
      row('unchanged', 'the same, run again: steps that run', again, 0),
      row('one-input', 'the same, one input changed: steps that run', changed, 3),
    ]
  } finally {
    await device.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}

function row(
  id: string,
  what: string,
  { ours, make }: { readonly ours: Measured; readonly make: Measured | undefined },
  must: number,
): Row {
  return {
    id: `engines/workflow-${id}`,
    what: `${what}; ${ours.seconds.toFixed(2)} s`,
    value: ours.ran,
    unit: 'steps',
    must: `= ${must}`,
    met: ours.ran === must,
    goal: undefined,
    peers: make ? { 'make recipes': make.ran, 'make s': make.seconds } : {},
    commands: { make: make ? `make -j${PARALLEL}` : 'make is not installed' },
  }
}

async function runWorkflow(client: Client<typeof displayContract>): Promise<Measured> {
  const beganMs = performance.now()
  const ended = new Promise<WorkflowInfo>((resolve) => {
    const hearing = client.onDidChangeWorkflow((info) => {
      if (info.state === 'running') return
      hearing.dispose()
      resolve(info)
    })
  })
  await client.runWorkflow({ source: '/bench/fifty.yml', text: workflowText })
  const { state, steps } = await ended
  if (state !== 'done') throw new Error(`the workflow ended as ${state}: ${steps.find(({ error }) => error)?.error?.message}`)
  return { seconds: (performance.now() - beganMs) / 1_000, ran: steps.filter((step) => step.state === 'done').length }
}

function runMake(folder: string): Promise<Measured> {
  const beganMs = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn('make', ['-C', folder, `-j${PARALLEL}`, '--no-print-directory'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (bytes) => (said += String(bytes)))
    child.on('close', (code) => {
      const ran = said.split('\n').filter((line) => /^(wc|cat|sort) /.test(line)).length
      if (code === 0) resolve({ seconds: (performance.now() - beganMs) / 1_000, ran })
      else reject(new Error(`make ended with ${code}`))
    })
  })
}

/** The same inputs in the dataset and in make's folder. */
class Inputs {
  readonly #client: Client<typeof displayContract>
  readonly #dataset: string
  readonly #parent: string
  readonly #folder: string

  private constructor(client: Client<typeof displayContract>, dataset: string, parent: string, folder: string) {
    this.#client = client
    this.#dataset = dataset
    this.#parent = parent
    this.#folder = folder
  }

  static async open(client: Client<typeof displayContract>, folder: string): Promise<Inputs> {
    const found = await eventually('the dataset is open', async () => (await client.listDatasets({}))[0])
    const { node } = await client.makeDatasetFolder({ dataset: found.dataset, parent: DATASET_ROOT, name: 'in' })
    return new Inputs(client, found.dataset, node, folder)
  }

  async put(n: number, text: string): Promise<void> {
    const client = this.#client
    const dataset = this.#dataset
    const there = await client.datasetAt({ dataset, path: `/in/${n}` }).catch(() => undefined)
    const to = there ? { node: there.node, base: there.version } : { parent: this.#parent, name: String(n) }
    const { write } = await client.beginDatasetWrite({ dataset, to })
    await client.appendDatasetWrite({ write, base64: base64Of(utf8(text)) })
    await client.commitDatasetWrite({ write })
    const file = path.join(this.#folder, 'in', String(n))
    const before = await readFile(file, 'utf8').catch(() => undefined)
    if (before !== text) await writeFile(file, text)
  }
}
