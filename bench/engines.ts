import { engineRows, workflowRows } from './engines/workflows.ts'
import type { Bench, Row } from './report.ts'

/* `npm run bench -- engines`: workflows, and what other engines than our own take. */

async function run(): Promise<readonly Row[]> {
  return [...engineRows(), ...(await workflowRows())]
}

export const bench: Bench = { name: 'engines', run }
