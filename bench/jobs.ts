import { classificationRows } from './jobs/classification.ts'
import { hookRow } from './jobs/hook.ts'
import { runRows } from './jobs/runs.ts'
import type { Bench, Row } from './report.ts'

/* `npm run bench -- jobs [--corpus FILE]`: what jobs cost. Each part of it is a file of bench/jobs/. */

async function run(args: readonly string[]): Promise<readonly Row[]> {
  return [...classificationRows(args), ...(await runRows()), await hookRow()]
}

export const bench: Bench = { name: 'jobs', run }
