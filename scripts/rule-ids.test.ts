import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { inProject } from './project.ts'
import { checkRuleIds } from './rule-ids.ts'

it('names a rule number that stands twice, in one SPEC.md or in two, and where', async () => {
  const root = await mkdtemp(path.join(os.tmpdir(), 'elsewhere-rules-'))
  try {
    await mkdir(path.join(root, 'near/apps'), { recursive: true })
    await writeFile(path.join(root, 'near/SPEC.md'), '| Id | Rule |\n| --- | --- |\n| NE1 | one, as NE2 |\n| NE2 | two |\n')
    await writeFile(path.join(root, 'near/apps/SPEC.md'), '| AP1 | one |\n| NE2 | theirs |\n| AP1 | again |\n')
    await writeFile(path.join(root, 'near/notes.md'), '| NE1 | no rule |\n')
    const { count, twice } = await checkRuleIds(root)
    expect(count).toBe(3)
    expect(twice).toEqual([
      'NE2 is given 2 times: near/SPEC.md:4, near/apps/SPEC.md:2',
      'AP1 is given 2 times: near/apps/SPEC.md:1, near/apps/SPEC.md:3',
    ])
  } finally {
    await rm(root, { recursive: true, force: true })
  }
})

it('finds none in this project, and its rules', async () => {
  const { count, twice } = await checkRuleIds(inProject('src'))
  expect(twice).toEqual([])
  expect(count).toBeGreaterThan(100)
})
