import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { isAllowed, makeNotice } from './notice.ts'
import { inProject } from './project.ts'

it('NOTICE names every package of the product, and none has a licence that may not be in it', async () => {
  const { text, refused } = await makeNotice()
  expect(refused).toEqual([])
  expect(await readFile(inProject('NOTICE'), 'utf8')).toBe(text) // mend with: node scripts/notice.ts
})

it.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0)', true],
  ['MPL 2.0', true],
  ['GPL-3.0', false],
  ['MIT AND GPL-2.0', false],
  ['UNKNOWN', false],
])('licence %s: allowed %s', (licence, allowed) => {
  expect(isAllowed(licence)).toBe(allowed)
})
