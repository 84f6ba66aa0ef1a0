import { afterEach, expect, it, vi } from 'vitest'
import { toBase64Url, utf8 } from '../../base/bytes.ts'
import { DATASET_ROOT, MAX_SMALL_FILE_BYTES } from '../../files/dataset-contract.ts'
import { DeviceWorld, PASSPHRASE } from '../../testkit/device-world.ts'
import { LONG_WAIT, pair } from '../../testkit/paired-devices.ts'

const worlds: DeviceWorld[] = []
afterEach(() => {
  for (const world of worlds.splice(0)) world.dispose()
})

const openWorld = () => {
  const world = new DeviceWorld()
  worlds.push(world)
  return world
}

it('[DV50] a display writes and reads Home, also after the device locked and opened again; while locked nobody does', async () => {
  const laptop = await openWorld().install('laptop')
  const display = await laptop.setUp()
  const control = laptop.control()
  const [home] = await untilOpen(() => control.listDatasets({}))
  const dataset = home?.dataset as string
  expect(home?.name).toBe('Home')
  const told: string[] = []
  display.onDidChangeDataset(({ folders }) => told.push(...folders))
  const { write } = await display.beginDatasetWrite({ dataset, to: { parent: DATASET_ROOT, name: 'a.txt' } })
  await display.appendDatasetWrite({ write, base64: btoa('hello ') })
  await display.appendDatasetWrite({ write, base64: btoa('there') })
  const file = await display.commitDatasetWrite({ write })
  // [RP1] Not safe from its first moment on: it is signed later, and then nobody looks again.
  expect(file).toMatchObject({ name: 'a.txt', bytes: 11, place: 'here', isSafe: false })
  expect(told).toContain(DATASET_ROOT)
  const read = await display.readDatasetBytes({ dataset, node: file.node, offset: 6, length: 100 })
  expect([atob(read.base64), read.bytes]).toEqual(['there', 11])

  await control.lockDevice({})
  await expect(control.datasetAt({ dataset, path: '/a.txt' })).rejects.toMatchObject({ code: 'dataset/locked' })
  await expect(display.datasetAt({ dataset, path: '/a.txt' })).rejects.toMatchObject({ code: 'rpc/refused' })
  await control.unlockDevice({ passphrase: PASSPHRASE })
  await untilOpen(() => control.listDatasets({}))
  expect(await control.datasetAt({ dataset, path: '/a.txt' })).toMatchObject({ node: file.node, bytes: 11 })
  expect(await control.checkDataset({ dataset })).toMatchObject({ problems: [], nodes: 1 })
  expect(laptop.errors).toEqual([])
})

it('[DV50] folders, copies, moves, trash, versions and search', async () => {
  const laptop = await openWorld().install('laptop')
  const display = await laptop.setUp()
  const dataset = (await untilOpen(() => display.listDatasets({})))[0]?.dataset as string
  const put = async (to: { parent: string; name: string } | { node: string; base: string }, text: string) => {
    const { write } = await display.beginDatasetWrite({ dataset, to })
    await display.appendDatasetWrite({ write, base64: btoa(text) })
    return display.commitDatasetWrite({ write })
  }
  const folder = await display.makeDatasetFolder({ dataset, parent: DATASET_ROOT, name: 'docs' })
  const file = await put({ parent: folder.node, name: 'plan 10.txt' }, 'one')
  await put({ parent: folder.node, name: 'plan 9.txt' }, 'nine')
  const second = await put({ node: file.node, base: file.version }, 'two!')
  await display.copyDatasetNode({ dataset, node: folder.node, parent: DATASET_ROOT, name: 'copy' })
  const names = async (node: string) =>
    (await display.listDatasetFolder({ dataset, node, from: 0, limit: 10 })).entries.map(({ name }) => name)
  expect(await names(DATASET_ROOT)).toEqual(['copy', 'docs'])
  expect(await names(folder.node)).toEqual(['plan 9.txt', 'plan 10.txt'])
  const { found } = await display.searchDataset({ dataset, node: DATASET_ROOT, text: 'PLAN 10' })
  expect(found.map(({ path }) => path).sort()).toEqual(['/copy/plan 10.txt', '/docs/plan 10.txt'])
  await display.moveDatasetNode({ dataset, node: file.node, parent: DATASET_ROOT, name: 'plan.txt', replace: false })
  await expect(display.makeDatasetFolder({ dataset, parent: DATASET_ROOT, name: 'plan.txt' })).rejects.toMatchObject({
    code: 'file/exists',
  })
  await display.removeDatasetNode({ dataset, node: file.node })
  const trash = await display.listDatasetTrash({ dataset })
  expect(trash.map(({ info }) => info.name)).toEqual(['plan.txt'])
  const versions = await display.datasetVersions({ dataset, node: file.node })
  expect(versions.map(({ bytes, isRemoval }) => (isRemoval ? 'removed' : bytes))).toEqual(['removed', 4, 3, 0].slice(0, versions.length))
  await display.restoreDatasetNode({ dataset, node: file.node, version: second.version })
  expect(await display.datasetNode({ dataset, node: file.node })).toMatchObject({ path: '/plan.txt', info: { bytes: 4 } })
  expect(laptop.errors).toEqual([])
})

it('[DV63] many short new files come in one call; what has its name already is left, and what is too much is refused', async () => {
  const laptop = await openWorld().install('laptop')
  const display = await laptop.setUp()
  const dataset = (await untilOpen(() => display.listDatasets({})))[0]?.dataset as string
  const folder = await display.makeDatasetFolder({ dataset, parent: DATASET_ROOT, name: 'docs' })
  const modules = await display.makeDatasetFolder({ dataset, parent: DATASET_ROOT, name: 'node_modules' })
  const file = (parent: string, name: string, text: string) => ({ parent, name, base64: btoa(text), mode: 0o600, mtimeMs: 1_000.5 })
  const put = (...files: ReturnType<typeof file>[]) => display.putDatasetFiles({ dataset, files })
  const first = [
    file(folder.node, 'a', 'one'),
    file(modules.node, 'm.js', 'stays'),
    file(folder.node, 'a', 'the same name'),
    file(folder.node, 'empty', ''),
  ]
  expect(await put(...first)).toEqual({ put: [true, true, false, true] })
  expect(await put(file(folder.node, 'a', 'another'), file(DATASET_ROOT, 'b', 'two'))).toEqual({ put: [false, true] })
  const textAt = async (path: string) => {
    const { node } = await display.datasetAt({ dataset, path })
    return atob((await display.readDatasetBytes({ dataset, node, offset: 0, length: 100 })).base64)
  }
  expect(await Promise.all(['/docs/a', '/docs/empty', '/node_modules/m.js', '/b'].map(textAt))).toEqual(['one', '', 'stays', 'two'])
  expect(await display.datasetAt({ dataset, path: '/docs/a' })).toMatchObject({ mode: 0o600, mtimeMs: 1_000, bytes: 3, place: 'here' })
  expect(await display.datasetAt({ dataset, path: '/node_modules/m.js' })).toMatchObject({ isLocal: true })
  await expect(put(file('ab'.repeat(16), 'c', 'nowhere'))).rejects.toMatchObject({ code: 'file/not-found' })
  await expect(put(file(DATASET_ROOT, '../c', 'up'))).rejects.toMatchObject({ code: 'file/bad-path' })
  await expect(put(file(DATASET_ROOT, 'c', 'x'.repeat(MAX_SMALL_FILE_BYTES + 3)))).rejects.toMatchObject({ code: 'rpc/bad-input' })
  const tooMuch = Array.from({ length: 17 }, (_, n) => file(DATASET_ROOT, `c${n}`, 'x'.repeat(MAX_SMALL_FILE_BYTES)))
  await expect(put(...tooMuch)).rejects.toMatchObject({ code: 'rpc/bad-input' })
  expect(await display.checkDataset({ dataset })).toMatchObject({ problems: [], nodes: 4 })
  expect(laptop.errors).toEqual([])
})

it('[DV62] a folder as it was is looked at and restored; the trash is emptied for good', async () => {
  const laptop = await openWorld().install('laptop')
  const display = await laptop.setUp()
  const dataset = (await untilOpen(() => display.listDatasets({})))[0]?.dataset as string
  const put = async (to: { parent: string; name: string } | { node: string; base: string }, text: string) => {
    const { write } = await display.beginDatasetWrite({ dataset, to })
    await display.appendDatasetWrite({ write, base64: btoa(text) })
    return display.commitDatasetWrite({ write })
  }
  const docs = await display.makeDatasetFolder({ dataset, parent: DATASET_ROOT, name: 'docs' })
  const plan = await put({ parent: docs.node, name: 'plan' }, 'one')
  const gone = await put({ parent: docs.node, name: 'gone' }, 'for good')
  await new Promise((resolve) => setTimeout(resolve, 5))
  const atMs = Date.now()
  await new Promise((resolve) => setTimeout(resolve, 5))
  await put({ node: plan.node, base: plan.version }, 'two')
  await display.moveDatasetNode({ dataset, node: plan.node, parent: DATASET_ROOT, name: 'moved', replace: false })
  await display.removeDatasetNode({ dataset, node: docs.node })
  const then = await display.datasetAt({ dataset, path: '/docs/plan', atMs })
  expect(then).toMatchObject({ version: plan.version, past: 'exact' })
  const { entries } = await display.listDatasetFolder({ dataset, node: docs.node, atMs, from: 0, limit: 10 })
  expect(entries.map(({ name }) => name)).toEqual(['gone', 'plan'])
  expect(await display.restoreDatasetPast({ dataset, node: docs.node, atMs })).toEqual({ restored: 3, missing: 0 })
  expect(await display.datasetNode({ dataset, node: plan.node })).toMatchObject({ path: '/docs/plan', info: { bytes: 3 } })
  expect(await display.hasSeenVersion({ dataset, version: plan.version })).toEqual({ isSeen: true })
  expect(await display.hasSeenVersion({ dataset, version: `${'c'.repeat(24)}.1` })).toEqual({ isSeen: false })

  // A folder out of the trash comes with what went with it.
  await display.removeDatasetNode({ dataset, node: docs.node })
  await display.restoreDatasetNode({ dataset, node: docs.node })
  const back = await display.listDatasetFolder({ dataset, node: docs.node, from: 0, limit: 10 })
  expect(back.entries.map(({ name, bytes }) => `${name} ${bytes}`)).toEqual(['gone 8', 'plan 3'])

  await display.removeDatasetNode({ dataset, node: gone.node })
  const size = await display.datasetTrashSize({ dataset })
  expect(size).toMatchObject({ entries: 1, bytes: 8 })
  expect(size.freedBytes).toBeGreaterThanOrEqual(8)
  expect(await display.emptyDatasetTrash({ dataset })).toEqual({ entries: 1 })
  expect(await display.listDatasetTrash({ dataset })).toEqual([])
  await display.tidyDataset({ dataset })
  expect((await display.datasetVersions({ dataset, node: gone.node })).every(({ isRemoval }) => isRemoval)).toBe(true)
  await expect(display.restoreDatasetNode({ dataset, node: gone.node })).rejects.toMatchObject({ code: 'file/not-found' })
  expect(laptop.errors).toEqual([])
})

/** The keys reach the files process a moment after the desk is open. */
async function untilOpen<T extends readonly unknown[]>(list: () => Promise<T>): Promise<T> {
  for (;;) {
    const found = await list()
    if (found.length > 0) return found
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

it('[DV52] a file written on one device is listed and read on the other, and counts as safe once that one has signed for it', async () => {
  const world = openWorld()
  const [laptop, server] = [await world.install('laptop'), await world.install('server')]
  const [near] = [await laptop.setUp(), await server.setUp()]
  const dataset = (await untilOpen(() => near.listDatasets({})))[0]?.dataset as string
  await pair(laptop, server)
  const far = server.control()
  const put = async (device: ReturnType<typeof laptop.control>, name: string, text: string) => {
    const { write } = await device.beginDatasetWrite({ dataset, to: { parent: DATASET_ROOT, name } })
    await device.appendDatasetWrite({ write, base64: btoa(text) })
    return device.commitDatasetWrite({ write })
  }
  const read = async (device: ReturnType<typeof laptop.control>, path: string) => {
    const { node } = await device.datasetAt({ dataset, path })
    return atob((await device.readDatasetBytes({ dataset, node, offset: 0, length: 100 })).base64)
  }
  await put(laptop.control(), 'of laptop', 'from here')
  await vi.waitFor(async () => expect(await read(far, '/of laptop')).toBe('from here'), LONG_WAIT)
  await put(far, 'of server', 'from there')
  await vi.waitFor(async () => expect(await read(laptop.control(), '/of server')).toBe('from there'), LONG_WAIT)
  await vi.waitFor(async () => {
    for (const device of [laptop, server]) {
      const status = await device.control().datasetStatus({ dataset })
      expect(status).toMatchObject({ unsafeVersions: 0, unsafeBytes: 0, linked: [{ missingSegments: 0 }] })
    }
  }, LONG_WAIT)
  expect((await near.datasetAt({ dataset, path: '/of laptop' })).isSafe).toBe(true)
  const { node } = await near.datasetAt({ dataset, path: '/of laptop' })
  const holders = (await near.datasetHolders({ dataset, node })).map(({ name, how }) => `${name}: ${how}`)
  expect(holders, '[RP5]').toEqual(['laptop: here', 'server: signed'])
  expect([...laptop.errors, ...server.errors]).toEqual([])
})

it('[DL4] one that cannot be opened keeps no other shut, and is opened when it can be', async () => {
  const world = openWorld()
  const laptop = await world.install('laptop')
  const near = await laptop.setUp()
  await untilOpen(() => near.listDatasets({}))
  for (const name of ['Work', 'Attic', 'Garden']) await near.makeDataset({ name })
  const names = async () => (await laptop.control().listDatasets({})).map(({ name }) => name).toSorted()
  await vi.waitFor(async () => expect(await names()).toEqual(['Attic', 'Garden', 'Home', 'Work']), LONG_WAIT)
  for (const shut of [['Work', 'Attic'], ['Garden'], ['Home']]) {
    const datasets = await laptop.control().listDatasets({})
    await laptop.control().lockDevice({})
    for (const { dataset, name } of datasets) if (shut.includes(name)) laptop.shutDatasets.add(dataset)
    await laptop.control().unlockDevice({ passphrase: PASSPHRASE })
    const left = ['Attic', 'Garden', 'Home', 'Work'].filter((name) => !shut.includes(name))
    await vi.waitFor(async () => expect(await names()).toEqual(left), LONG_WAIT)
    laptop.shutDatasets.clear()
    await laptop.control().lockDevice({})
    await laptop.control().unlockDevice({ passphrase: PASSPHRASE })
    await vi.waitFor(async () => expect(await names()).toEqual(['Attic', 'Garden', 'Home', 'Work']), LONG_WAIT)
  }
  expect(laptop.errors).toEqual([])
})

it('[DL4] a dataset made on one device is on the other, is put away and comes back with what was in it; a display cannot write the list', async () => {
  const world = openWorld()
  const [laptop, server] = [await world.install('laptop'), await world.install('server')]
  const [near] = [await laptop.setUp(), await server.setUp()]
  await untilOpen(() => near.listDatasets({}))
  await pair(laptop, server)
  const far = server.control()
  const names = async (device: Pick<typeof far, 'listDatasets'>) => (await device.listDatasets({})).map(({ name }) => name)
  const { dataset } = await near.makeDataset({ name: 'Work' })
  await vi.waitFor(
    async () =>
      expect([await names(near), await names(far)]).toEqual([
        ['Home', 'Work'],
        ['Home', 'Work'],
      ]),
    LONG_WAIT,
  )
  const { write } = await near.beginDatasetWrite({ dataset, to: { parent: DATASET_ROOT, name: 'plan' } })
  await near.appendDatasetWrite({ write, base64: btoa('of work') })
  const file = await near.commitDatasetWrite({ write })
  const read = async () => atob((await far.readDatasetBytes({ dataset, node: file.node, offset: 0, length: 100 })).base64)
  await vi.waitFor(async () => expect(await read()).toBe('of work'), LONG_WAIT)
  await far.renameDataset({ which: 'Work', name: 'Studio' })
  await vi.waitFor(async () => expect(await names(near)).toEqual(['Home', 'Studio']), LONG_WAIT)
  await vi.waitFor(async () => expect((await near.datasetStatus({ dataset })).unsafeVersions).toBe(0), LONG_WAIT)
  await near.putDatasetAway({ which: 'Studio', isAway: true })
  await vi.waitFor(async () => expect([await names(near), await names(far)]).toEqual([['Home'], ['Home']]), LONG_WAIT)
  await expect(far.datasetAt({ dataset, path: '/plan' })).rejects.toMatchObject({ code: 'dataset/locked' })
  await far.putDatasetAway({ which: 'Studio', isAway: false })
  await vi.waitFor(
    async () =>
      expect([await names(near), await names(far)]).toEqual([
        ['Home', 'Studio'],
        ['Home', 'Studio'],
      ]),
    LONG_WAIT,
  )
  expect(await read()).toBe('of work')
  await expect(near.attachDocument({ doc: 'datasets' })).rejects.toMatchObject({ code: 'document/bad-name' })
  expect([...laptop.errors, ...server.errors]).toEqual([])
})

it('[DL4] what is on this device alone is not put away by mistake; a bare machine has its datasets again by the recovery kit', async () => {
  const world = openWorld()
  const laptop = await world.install('laptop')
  const display = await laptop.setUp()
  await untilOpen(() => display.listDatasets({}))
  const { dataset } = await display.makeDataset({ name: 'Work' })
  await vi.waitFor(async () => expect(await display.listDatasets({})).toHaveLength(2), LONG_WAIT)
  await display.makeDatasetFolder({ dataset, parent: DATASET_ROOT, name: 'plans' })
  const { write } = await display.beginDatasetWrite({ dataset, to: { parent: DATASET_ROOT, name: 'plan' } })
  await display.appendDatasetWrite({ write, base64: btoa('here only') })
  await display.commitDatasetWrite({ write })
  await expect(display.putDatasetAway({ which: 'Work', isAway: true })).rejects.toMatchObject({ code: 'dataset/not-safe' })
  await display.makeDataset({ name: 'Attic' })
  await display.putDatasetAway({ which: 'Attic', isAway: true, force: true })
  const kit = await display.makeRecoveryKit({ passphrase: PASSPHRASE })
  const bare = await openWorld().install('bare')
  const input = { words: kit.words.join(' '), passphrase: PASSPHRASE, deviceName: 'bare', unattended: false }
  await bare.control().restoreDevice({ ...input, kit: toBase64Url(utf8(kit.file)) })
  await vi.waitFor(async () => {
    const all = (await bare.control().listNamedDatasets({})).map(({ dataset: id, name, isAway }) => [id === dataset, name, isAway])
    expect(all.sort((a, b) => String(a[1]).localeCompare(String(b[1])))).toEqual([
      [false, 'Attic', true],
      [true, 'Work', false],
    ])
  }, LONG_WAIT)
  await vi.waitFor(async () => expect((await bare.control().listDatasets({})).map(({ name }) => name)).toEqual(['Home', 'Work']), LONG_WAIT)
  expect([...laptop.errors, ...bare.errors]).toEqual([])
})
