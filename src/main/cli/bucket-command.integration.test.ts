import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { S3Server } from '../../testkit/s3-server.ts'
import { buildIfStale, RunningDevice, runCommand } from '../daemon/running-device.suite.ts'

const cleanUps: (() => unknown)[] = []
beforeAll(buildIfStale, 180_000)
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

it('[DV78] [BK6] all files of a lost machine come back on a bare one, out of the bucket, by the recovery kit alone', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-bucket-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const server = new S3Server()
  cleanUps.push(() => server.dispose())
  await server.start()
  const [lost, bare] = [new RunningDevice(), new RunningDevice()]
  for (const device of [lost, bare]) cleanUps.push(() => device.dispose())
  await lost.start()
  const on = (device: RunningDevice, args: string[], input = '') => runCommand([...args, '--data', device.folder], { input })
  expect(
    on(lost, ['create', '--person', 'Ada Lovelace', '--device', 'Lamp of the study', '--unattended'], 'correct horse battery\n'),
  ).toMatchObject({
    status: 0,
  })
  const big = path.join(folder, 'big.bin')
  writeFileSync(big, Buffer.from(Array.from({ length: 12_000_000 }, (_, n) => Math.imul(n, 2_654_435_761) >>> 24)))
  const note = path.join(folder, 'note.txt')
  writeFileSync(note, 'kingfisher-text one')
  expect(on(lost, ['fs', 'mkdir', '/docs'])).toMatchObject({ status: 0 })
  expect(on(lost, ['fs', 'put', big, '/docs'])).toMatchObject({ status: 0 })
  expect(on(lost, ['fs', 'put', note, '/docs/kingfisher-name.txt'])).toMatchObject({ status: 0 })
  const unsafe = () => JSON.parse(on(lost, ['fs', 'status', '--json']).stdout) as unknown
  expect(JSON.stringify(unsafe())).toContain('"unsafeVersions":2')

  const add = ['bucket', 'add', server.bucket, '--endpoint', server.endpoint]
  expect(on(lost, add, 'nobody\nnothing\n')).toMatchObject({ status: 1, stderr: expect.stringContaining('[bucket/refused]') })
  expect(on(lost, ['bucket', 'add', 'another-one', '--endpoint', server.endpoint], 'S3RVER\nx\n')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('[bucket/not-found]'),
  })
  const keys = `${server.accessKeyId}\n${server.secretAccessKey}\n`
  expect(on(lost, add, keys)).toMatchObject({ status: 0, stderr: '' })
  expect(on(lost, add, keys)).toMatchObject({ status: 1, stderr: expect.stringContaining('[bucket/exists]') })
  expect(on(lost, ['bucket', 'status', '--now'])).toMatchObject({ status: 0, stdout: expect.stringContaining('holds everything') })
  expect(JSON.stringify(unsafe())).toContain('"unsafeVersions":0')
  const listed = on(lost, ['bucket', 'list', '--json'])
  expect(JSON.parse(listed.stdout)).toMatchObject([{ bucket: server.bucket, datasetName: 'Home' }])
  expect(listed.stdout).not.toContain(server.secretAccessKey)

  const kit = path.join(folder, 'kit.age')
  const page = path.join(folder, 'page.html')
  expect(on(lost, ['recovery', 'make', '--out', kit, '--page', page], 'correct horse battery\n')).toMatchObject({ status: 0 })
  const words = [...readFileSync(page, 'utf8').matchAll(/<li>([a-z]+)<\/li>/g)].map(([, word]) => word)
  // What the bucket was given tells nothing: not names, contents, devices or the secret of its own keys.
  const dataset = (JSON.parse(listed.stdout) as { dataset: string }[])[0]?.dataset as string
  const told = ['kingfisher', 'Lamp of', 'Ada Love', 'big.bin', dataset, server.secretAccessKey]
  for (const [name, bytes] of server.files())
    for (const text of told) expect(`${name} ${Buffer.from(bytes).toString('latin1')}`.includes(text), `${text} in ${name}`).toBe(false)
  await lost.dispose()

  await bare.start()
  expect(
    on(bare, ['recovery', 'restore', kit, '--device', 'Bare', '--unattended'], `${words.join(' ')}\na new passphrase\n`),
  ).toMatchObject({ status: 0 })
  expect(on(bare, ['bucket', 'status', '--now'])).toMatchObject({ status: 0 })
  expect(on(bare, ['fs', 'cat', '/docs/kingfisher-name.txt']).stdout).toBe('kingfisher-text one')
  expect(on(bare, ['fs', 'get', '/docs/big.bin', path.join(folder, 'back.bin')])).toMatchObject({ status: 0, stderr: '' })
  expect(Buffer.compare(readFileSync(path.join(folder, 'back.bin')), readFileSync(big))).toBe(0)
  expect(on(bare, ['bucket', 'remove'])).toMatchObject({ status: 0 })
  expect(on(bare, ['bucket', 'remove'])).toMatchObject({ status: 1, stderr: expect.stringContaining('[bucket/unknown]') })
})
