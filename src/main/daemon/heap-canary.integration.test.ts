import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { toBase64Url, utf8 } from '../../base/bytes.ts'
import { buildIfStale, RunningDevice } from './running-device.suite.ts'

const cleanUps: (() => unknown)[] = []
beforeAll(buildIfStale, 180_000)
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const wait = () => new Promise((resolve) => setTimeout(resolve, 50))

it('[ID17] [ID18] after both locks the heap of the device holds no passphrase, no words and no passkey answer', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-heap-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const device = new RunningDevice()
  cleanUps.push(() => device.dispose())
  await device.start(undefined, { NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}` })
  const passphrase = 'kingfisher-passphrase-canary'
  const client = await device.connect()
  cleanUps.push(() => client.dispose())
  await client.createDevice({ personName: 'kingfisher-control-name', deviceName: 'lamp', passphrase, unattended: false })
  await client.unlock({ passphrase, how: 'move' })
  const kit = await client.makeRecoveryKit({ passphrase })
  const answer = toBase64Url(utf8('kingfisher-passkey-answer-canary'))
  await client.setPasskey({ passphrase, credentialId: 'AAAA', salt: toBase64Url(new Uint8Array(32)), answer })
  await client.unlockByPasskey({ answer, how: 'move' })
  await client.lockDevice({})
  await client.status({}) // what was asked before is answered: nothing of it is under way
  client.dispose()

  const { processes } = await device.status()
  const pid = processes.find(({ name }) => name === 'device')?.pid as number
  process.kill(pid, 'SIGUSR2')
  const snapshots = () => readdirSync(folder).filter((name) => name.endsWith('.heapsnapshot'))
  let bytes = -1
  for (;;) {
    const file = snapshots()[0]
    const now = file && existsSync(path.join(folder, file)) ? statSync(path.join(folder, file)).size : 0
    if (now > 0 && now === bytes && readFileSync(path.join(folder, file as string)).at(-1) === '}'.charCodeAt(0)) break
    bytes = now
    await wait()
  }
  const heap = readFileSync(path.join(folder, snapshots()[0] as string), 'latin1')
  expect(heap).toContain('kingfisher-control-name') // the search finds what is there
  for (const canary of [passphrase, answer, kit.words.join('-'), kit.words.join(' ')]) expect(heap.includes(canary)).toBe(false)
})
