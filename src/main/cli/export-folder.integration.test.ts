import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DatasetNodeInfo } from '../../files/dataset-contract.ts'
import { exportFolder } from './export-folder.ts'
import type { DeviceClient } from './local-client.ts'

let folder = ''
beforeEach(() => void (folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-export-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

type Tree = { readonly [name: string]: string | { readonly link: string } | Tree }
const MTIME = 1_600_000_000_000
const whole = { atMs: undefined, force: false, tell: () => {} }

/** A device with `tree` in private folders of private files; `seen` is called before each file is read. */
function deviceOf(tree: Tree, seen: (name: string) => void = () => {}) {
  const nodes = new Map<string, Tree | string>()
  const infoOf = (name: string, of: Tree[string]): DatasetNodeInfo => {
    const node = String(nodes.size)
    const isLink = typeof of !== 'string' && typeof of.link === 'string'
    const kind = typeof of === 'string' ? 'file' : isLink ? 'link' : 'folder'
    nodes.set(node, of as Tree | string)
    const facts = { mode: kind === 'folder' ? 0o750 : 0o640, mtimeMs: MTIME, ...(isLink && { target: of.link as string }) }
    return { name, node, version: name, kind, bytes: typeof of === 'string' ? of.length : 0, ...facts } as DatasetNodeInfo
  }
  const top = infoOf('', tree)
  const device = {
    listDatasetFolder: async ({ node, from }: { node: string; from: number }) => {
      const entries = Object.entries(nodes.get(node) as Tree).map(([name, of]) => infoOf(name, of))
      return { entries: entries.slice(from), total: entries.length }
    },
    readDatasetBytes: async ({ node, version }: { node: string; version: string }) => {
      seen(version)
      const text = nodes.get(node) as string
      return { base64: Buffer.from(text).toString('base64'), bytes: text.length }
    },
  } as unknown as DeviceClient
  return { device, top }
}
const modeOf = (at: string) => lstatSync(at).mode & 0o7777
const given = (mode: number) => mode & ~process.umask()

it('[DV108] no link of a folder is written through, whatever it is called; a name of 255 bytes is copied out', async () => {
  const outside = path.join(folder, 'outside')
  writeFileSync(outside, 'precious')
  const long = 'x'.repeat(255)
  const { device, top } = deviceOf({ [`.a.${process.pid}.part`]: { link: outside }, a: 'bytes of a', [long]: 'long' })
  const done = await exportFolder(device, 'Home', top, path.join(folder, 'to'), whole)
  expect([done.skipped, readFileSync(outside, 'utf8'), readFileSync(path.join(folder, 'to', long), 'utf8')]).toEqual([
    [],
    'precious',
    'long',
  ])
  expect(readdirSync(path.join(folder, 'to')).sort()).toEqual([`.a.${process.pid}.part`, 'a', long])
})

it('[DV108] what is being copied out is its owner’s alone until it is whole; one that was cut off gets its modes and times by the next', async () => {
  const [to, mine] = [path.join(folder, 'new', 'to'), path.join(folder, 'mine')]
  const deep = path.join(to, 'deep')
  const { device, top } = deviceOf({ deep: { b: 'b' } })
  const list = device.listDatasetFolder
  let calls = 0
  const cut = {
    ...device,
    listDatasetFolder: (of: never) => (++calls === 2 ? Promise.reject(new Error('away')) : list(of)),
  } as DeviceClient
  expect((await exportFolder(cut, 'Home', top, to, whole)).skipped).toHaveLength(1)

  const meanwhile: number[] = []
  const next = deviceOf({ deep: { b: 'b' } }, () => {
    meanwhile.push(modeOf(deep) & 0o777, ...readdirSync(deep).map((name) => modeOf(path.join(deep, name))))
  })
  expect((await exportFolder(next.device, 'Home', next.top, to, whole)).skipped).toEqual([])
  expect(meanwhile).toEqual([0o700, 0o600])
  expect([modeOf(deep), modeOf(path.join(deep, 'b')), lstatSync(deep).mtimeMs]).toEqual([given(0o750), given(0o640), MTIME])

  mkdirSync(mine)
  chmodSync(mine, 0o700)
  await exportFolder(device, 'Home', top, mine, whole)
  expect([modeOf(mine), modeOf(path.join(mine, 'deep')), modeOf(path.join(folder, 'new'))]).toEqual([0o700, given(0o750), given(0o777)])
})
