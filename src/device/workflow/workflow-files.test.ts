import { expect, it } from 'vitest'
import { ManualClock } from '../../testkit/manual-clock.ts'
import type { FilesClient } from '../device-parts.ts'
import { WorkflowFiles } from './workflow-files.ts'

/** Answers each look at the datasets with the next of `seen`. */
function filesWith(seen: readonly (readonly string[])[], dataset: string) {
  const clock = new ManualClock()
  let looks = 0
  const client = {
    listDatasets: async () => (seen[looks++] ?? seen.at(-1) ?? []).map((name) => ({ name, dataset: `id of ${name}` })),
    fingerprintPaths: async () => ({ digests: ['same'] }),
  } as unknown as FilesClient
  const local = { client: async () => client, onDidConnect: () => ({ dispose: () => {} }), dispose: () => {} }
  const asking = new WorkflowFiles(local, clock, { dataset, folder: '.' }).fingerprints(['a']).then(
    (digests) => ({ digests }),
    ({ code }: { code: string }) => ({ code }),
  )
  const answer = async () => {
    const said: Awaited<typeof asking>[] = []
    void asking.then((one) => said.push(one))
    for (let n = 0; n < 1_000 && said.length === 0; n++) {
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(250)
    }
    return said[0]
  }
  return { answer, looks: () => looks }
}

it('[WF2] a dataset of another name is refused at once, whatever it is called; a device that has none yet is waited for', async () => {
  const wrong = filesWith([['Home', 'x (none yet)']], 'Away')
  expect(await wrong.answer()).toEqual({ code: 'workflow/no-dataset' })
  expect(wrong.looks()).toBe(1)
  const wrongNone = filesWith([['none yet']], 'Away')
  expect(await wrongNone.answer()).toEqual({ code: 'workflow/no-dataset' })
  expect(wrongNone.looks()).toBe(1)
  const young = filesWith([[], [], ['Home']], 'Home')
  expect(await young.answer()).toEqual({ digests: [['a', 'same']] })
  const never = filesWith([[]], 'Home')
  expect(await never.answer()).toEqual({ code: 'workflow/no-dataset-yet' })
  expect(never.looks()).toBeGreaterThan(100)
})
