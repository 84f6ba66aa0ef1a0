import { bacalhauRows } from './engines/bacalhau.ts'
import { slurmRows } from './engines/slurm.ts'
import { workflowRows } from './engines/workflows.ts'
import type { Bench, Row } from './report.ts'

/* `npm run bench -- engines`: what other engines than our own take, and workflows. */

async function run(): Promise<readonly Row[]> {
  return [...(await slurmRows()), ...(await bacalhauRows()), ...(await workflowRows())]
}

export const bench: Bench = { name: 'engines', run }
