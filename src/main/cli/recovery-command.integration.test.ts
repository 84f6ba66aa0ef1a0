import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { buildIfStale, RunningDevice, runCommand } from '../daemon/running-device.suite.ts'

const cleanUps: (() => unknown)[] = []
beforeAll(buildIfStale, 180_000)
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

it('[ID158] [ID159] a kit made on one machine makes a bare one a device of the same person; slips and damage make nothing', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-kit-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const [lost, bare] = [new RunningDevice(), new RunningDevice()]
  for (const device of [lost, bare]) cleanUps.push(() => device.dispose())
  await lost.start()
  const create = ['create', '--person', 'Ada', '--device', 'Lamp', '--data', lost.folder]
  expect(runCommand(create, { input: 'correct horse battery\n' })).toMatchObject({ status: 0 })
  const [kit, page] = [path.join(folder, 'kit.age'), path.join(folder, 'page.html')]
  const make = (...args: string[]) => runCommand(['recovery', 'make', '--data', lost.folder, ...args], { input: 'correct horse battery\n' })
  const made = make('--out', kit, '--page', page)
  expect(made).toMatchObject({ status: 0, stdout: expect.stringContaining('The kit of Ada is in') })
  expect([statSync(kit).mode & 0o777, statSync(page).mode & 0o777]).toEqual([0o600, 0o600])
  const words = [...readFileSync(page, 'utf8').matchAll(/<li>([a-z]+)<\/li>/g)].map(([, word]) => word)
  expect(words.length).toBe(14)
  expect(make('--out', kit)).toMatchObject({ status: 1, stderr: expect.stringContaining('[EEXIST]') })
  expect(made.stdout).not.toContain(words.join('-'))
  await lost.end()

  await bare.start()
  const restore = (file: string, typed: string) =>
    runCommand(['recovery', 'restore', file, '--device', 'Bare', '--data', bare.folder], { input: `${typed}\na new passphrase\n` })
  expect(restore(kit, words.toReversed().join(' '))).toMatchObject({ status: 1, stderr: expect.stringContaining('[recovery/bad-words]') })
  const cut = path.join(folder, 'cut.age')
  writeFileSync(cut, readFileSync(kit).subarray(0, 600))
  expect(restore(cut, words.join(' '))).toMatchObject({ status: 1, stderr: expect.stringContaining('[recovery/damaged]') })
  writeFileSync(cut, Buffer.alloc(1_400_000))
  expect(restore(cut, words.join(' '))).toMatchObject({ status: 2, stderr: expect.stringContaining('larger than any recovery kit') })
  expect(restore(kit, words.join(' '))).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/a device of Ada again[^]*reached: Lamp\./),
  })
  const list = runCommand(['device', 'list', '--json', '--data', bare.folder])
  expect(JSON.parse(list.stdout)).toMatchObject([
    { name: 'Lamp', role: 'admin', self: false },
    { name: 'Bare', role: 'admin', self: true },
  ])
  expect(restore(kit, words.join(' '))).toMatchObject({ status: 1, stderr: expect.stringContaining('[vault/exists]') })
  const again = runCommand(['recovery', 'make', '--out', path.join(folder, 'second.age'), '--data', bare.folder], {
    input: 'a new passphrase\n',
  })
  expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining('It knows Lamp, Bare.') })
})
