import { afterEach, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { DATASET_ROOT } from '../../files/dataset-contract.ts'
import { DeviceWorld, type WorldDevice } from '../../testkit/device-world.ts'
import type { Archive } from './archive/archive.ts'
import type { FileView } from './file-views.ts'

const worlds: DeviceWorld[] = []
const viewOf = (of: WorldDevice, path: string) => of.device.findView(path, 'cookie') as FileView | undefined
afterEach(() => {
  for (const world of worlds.splice(0)) world.dispose()
})

async function laptopWith(files: Readonly<Record<string, Uint8Array>>) {
  const world = new DeviceWorld()
  worlds.push(world)
  const laptop = await world.install('laptop')
  const display = await laptop.setUp()
  const device = (await display.listDevices({}))[0]?.deviceId as string
  for (const [name, bytes] of Object.entries(files)) await laptop.disk.write(`/home/test/${name}`, bytes, null)
  return { laptop, display, open: (name: string) => display.openFileView({ of: { device, path: `/home/test/${name}` } }) }
}

it('[DV44] a file is served as what its name allows, and nothing as what a browser would run or take for a page', async () => {
  const names = [
    'a.png',
    'a.SVG',
    'a.html',
    'a.js',
    'a.css',
    'a.xml',
    'a.xhtml',
    'a.txt',
    'a.md',
    'a',
    '.png',
    'a.pdf',
    'a.webm',
    'a.png.html',
  ]
  const { open } = await laptopWith(Object.fromEntries(names.map((name) => [name, utf8('x')])))
  const types = await Promise.all(names.map(async (name) => `${name} ${(await open(name)).type}`))
  const bytes = 'application/octet-stream'
  expect(types).toEqual([
    'a.png image/png',
    'a.SVG image/svg+xml',
    ...['a.html', 'a.js', 'a.css', 'a.xml', 'a.xhtml', 'a.txt', 'a.md', 'a', '.png'].map((name) => `${name} ${bytes}`),
    'a.pdf application/pdf',
    'a.webm video/webm',
    `a.png.html ${bytes}`,
  ])
})

it('[DV44] an address is one cookie’s, stays the version that was opened, and is dead once closed or the display is locked', async () => {
  const { laptop, display, open } = await laptopWith({ 'a.txt': utf8('hello there') })
  const { path, bytes } = await open('a.txt')
  expect(path).toMatch(/^\/view\/[\w-]{43}$/)
  expect(bytes).toBe(11)
  const view = viewOf(laptop, path)
  expect(new TextDecoder().decode(await view?.read(6, 100, {}))).toBe('there')
  expect(laptop.device.findView(path, 'another cookie')).toBeUndefined()
  expect(laptop.device.findView(`${path.slice(0, -1)}_`, 'cookie')).toBeUndefined()

  await laptop.disk.write('/home/test/a.txt', utf8('other words'), undefined)
  await expect(view?.read(0, 5, {})).rejects.toMatchObject({ code: 'file/changed' })

  const closed = await open('a.txt')
  const held = laptop.device.findView(closed.path, 'cookie')
  await display.closeFileView({ path: closed.path })
  expect([held?.signal.aborted, laptop.device.findView(closed.path, 'cookie')]).toEqual([true, undefined])

  const [one, other] = [await open('a.txt'), await open('a.txt')]
  const cut = laptop.device.findView(one.path, 'cookie')
  await display.lockDisplay({})
  expect(cut?.signal.aborted).toBe(true)
  expect([one, other].map((opened) => laptop.device.findView(opened.path, 'cookie'))).toEqual([undefined, undefined])
  await expect(open('a.txt')).rejects.toMatchObject({ code: 'rpc/refused' })
})

it('[DV44] one display has 256 open at most and closes nobody else’s; without a page there is none', async () => {
  const { laptop, open } = await laptopWith({ 'a.txt': utf8('x') })
  const opened = []
  for (let count = 0; count < 258; count++) opened.push((await open('a.txt')).path)
  const alive = opened.map((path) => laptop.device.findView(path, 'cookie') !== undefined)
  expect([alive.indexOf(true), alive.filter(Boolean).length]).toEqual([2, 256])
  const control = laptop.control()
  const device = (await control.listDevices({}))[0]?.deviceId as string
  await expect(control.openFileView({ of: { device, path: '/home/test/a.txt' } })).rejects.toMatchObject({ code: 'view/no-page' })
  await control.closeFileView({ path: String(opened.at(-1)) })
  expect(laptop.device.findView(String(opened.at(-1)), 'cookie')).toBeDefined()
})

it('[DV44] an archive that is being read is closed for nothing else that is opened', async () => {
  const { laptop, display, open } = await laptopWith({ 'a.txt': utf8('x') })
  const device = (await display.listDevices({}))[0]?.deviceId as string
  const archive = () => display.openArchive({ name: 'a', of: { device, folder: '/home/test', names: ['a.txt'] } })
  const [read, waiting] = [await archive(), await archive()]
  const begun = laptop.device.findView(read.path, 'cookie') as Archive
  expect(begun.begin(new AbortController().signal)).toBeDefined()
  for (let count = 0; count < 256; count++) await open('a.txt')
  expect([begun.signal.aborted, laptop.device.findView(read.path, 'cookie')]).toEqual([false, begun])
  expect(laptop.device.findView(waiting.path, 'cookie')).toBeUndefined()
  begun.end(true)
  await open('a.txt')
  expect(laptop.device.findView(read.path, 'cookie')).toBeUndefined()
})

it('[DV44] a file of a dataset is looked at in the version shown, or another that is kept', async () => {
  const { laptop, display } = await laptopWith({})
  let dataset: string | undefined
  while (dataset === undefined) {
    dataset = (await display.listDatasets({}))[0]?.dataset
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const put = async (to: { parent: string; name: string } | { node: string; base: string }, text: string) => {
    const { write } = await display.beginDatasetWrite({ dataset: String(dataset), to })
    await display.appendDatasetWrite({ write, base64: btoa(text) })
    return display.commitDatasetWrite({ write })
  }
  const first = await put({ parent: DATASET_ROOT, name: 'notes.md' }, 'first')
  await put({ node: first.node, base: first.version }, 'the second')
  const textOf = async (version?: string) => {
    const { path, bytes } = await display.openFileView({ of: { dataset: String(dataset), node: first.node, ...(version && { version }) } })
    const read = await viewOf(laptop, path)?.read(0, 100, {})
    return [bytes, new TextDecoder().decode(read)]
  }
  expect(await textOf()).toEqual([10, 'the second'])
  expect(await textOf(first.version)).toEqual([5, 'first'])
  await expect(display.openFileView({ of: { dataset, node: DATASET_ROOT } })).rejects.toMatchObject({ code: 'file/not-a-file' })
})
