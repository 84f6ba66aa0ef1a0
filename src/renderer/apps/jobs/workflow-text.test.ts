import { expect, it } from 'vitest'
import { base64Of } from '../../../base/base64.ts'
import { MAX_WORKFLOW_TEXT } from '../../../jobs/workflow/workflow-contract.ts'
import { ELSEWHERE } from '../../../session/app-state.ts'
import { readWorkflowText } from './workflow-text.ts'

const holding = (text: string) => {
  const all = new TextEncoder().encode(text)
  return {
    listDatasets: async () => [{ dataset: 'd', name: 'Home' }],
    datasetAt: async () => ({ node: 'n', bytes: all.length }),
    readDatasetBytes: async ({ offset, length }: { offset: number; length: number }) => ({
      base64: base64Of(all.subarray(offset, offset + length)),
    }),
    readText: async () => ({ text }),
  } as unknown as Parameters<typeof readWorkflowText>[0]
}

it.each([ELSEWHERE, 'a device'])('[WF2] a file on %s is read whole or refused, and never cut', async (device) => {
  for (const letter of ['a', '\u20ac']) {
    const longest = letter.repeat(MAX_WORKFLOW_TEXT)
    expect((await readWorkflowText(holding(longest), device, '/Home/a.yml')) === longest).toBe(true)
    for (const more of [1, MAX_WORKFLOW_TEXT, 9 * MAX_WORKFLOW_TEXT]) {
      const read = readWorkflowText(holding(longest + letter.repeat(more)), device, '/Home/a.yml')
      await expect(read).rejects.toMatchObject({ code: 'workflow/too-large', message: expect.stringContaining('128 KiB') })
    }
  }
})
