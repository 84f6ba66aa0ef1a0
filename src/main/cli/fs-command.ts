import { statSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { DATASET_VERBS } from './dataset-verbs.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'
import { exportFolder } from './export-folder.ts'
import { importFolder, linkFromOldPlace } from './import-folder.ts'
import {
  type FsCall,
  allOf,
  emptyTrash,
  getInto,
  lineOf,
  megabytes,
  past,
  pin,
  prefetchLine,
  put,
  readInto,
  required,
  splitPath,
  timeOf,
} from './fs-calls.ts'
import { cache, keepLines, policy } from './keep-verbs.ts'
import { parsePast } from './parse-until.ts'

const options = {
  ...dataOptions,
  json: { type: 'boolean', default: false },
  force: { type: 'boolean', default: false },
  link: { type: 'boolean', default: false },
  dataset: { type: 'string', default: 'Home' },
  at: { type: 'string' },
  copies: { type: 'string' },
  on: { type: 'string', multiple: true },
} as const

interface Verb {
  readonly usage: string
  readonly what: string
  /** Of all datasets together, open or not. */
  readonly isOfAll?: boolean
  /** Of the dataset named first. */
  readonly namesDataset?: boolean
  run(call: FsCall): Promise<number>
}

/** Says how far something is, once a second, to whoever watches. */
function seldom<Facts extends unknown[]>(isQuiet: boolean, words: (...facts: Facts) => string): (...facts: Facts) => void {
  let toldMs = Date.now()
  return (...facts) => {
    if (isQuiet || Date.now() - toldMs < 1000) return
    toldMs = Date.now()
    console.error(words(...facts))
  }
}

const VERBS: Readonly<Record<string, Verb>> = {
  ls: {
    usage: 'ls [PATH]',
    what: 'list a folder',
    async run({ device, dataset, json, atMs, args }) {
      const at = await device.datasetAt({ dataset, path: args[0] ?? '/', ...past(atMs) })
      const entries = at.kind === 'folder' ? await allOf(device, dataset, at.node, atMs) : [at]
      if (json) console.log(JSON.stringify(entries, undefined, 2))
      else for (const entry of entries) console.log(lineOf(entry))
      return 0
    },
  },
  cat: {
    usage: 'cat PATH',
    what: 'write a file to standard output',
    async run({ device, dataset, atMs, args }) {
      const info = await device.datasetAt({ dataset, path: required(args[0], 'PATH'), ...past(atMs) })
      await readInto(device, dataset, info, process.stdout)
      return 0
    },
  },
  get: {
    usage: 'get PATH [TO] [--force]',
    what: 'copy a file, or a folder with all that is in it, out to this machine, going on where one was cut off',
    async run({ device, dataset, json, force, atMs, args }) {
      const info = await device.datasetAt({ dataset, path: required(args[0], 'PATH'), ...past(atMs) })
      const name = info.name || (await device.datasetStatus({ dataset })).name
      const target = args[1] ?? name
      const isThere = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true
      const to = isThere && args[1] !== undefined ? path.join(target, name) : target
      if (info.kind !== 'folder') {
        await getInto(device, dataset, info, isThere ? path.join(target, name) : target)
        return 0
      }
      const tell = seldom(json, ({ files, bytes }: { files: number; bytes: number }) => `${files} files, ${megabytes(bytes)}`)
      const { skipped, ...got } = await exportFolder(device, dataset, info, to, { atMs, force, tell })
      for (const one of skipped) console.error(`left out: ${one}`)
      if (json) console.log(JSON.stringify({ ...got, skipped }))
      else console.log(`${to}: ${got.files} files, ${got.folders} folders, ${megabytes(got.bytes)}; ${got.same} were there already`)
      return skipped.length > 0 ? 1 : 0
    },
  },
  put: {
    usage: 'put FILE [PATH]',
    what: 'copy a file of this machine in; a new version when it is there',
    async run({ device, dataset, json, args }) {
      const from = required(args[0], 'FILE')
      const info = await put(device, dataset, from, args[1] ?? '/')
      console.log(json ? JSON.stringify(info) : `${info.name}  ${info.bytes} bytes`)
      return 0
    },
  },
  import: {
    usage: 'import FOLDER [PATH] [--link]',
    what: 'copy a whole folder in, going on where one was cut off; --link: then a link lies in its old place',
    async run({ device, dataset, json, link, args }) {
      const from = path.resolve(required(args[0], 'FOLDER'))
      if (!statSync(from).isDirectory()) throw new TypeError(`${from} is not a folder; "put" copies a file`)
      const at = path.posix.join('/', args[1] ?? path.basename(from))
      const mount = link ? await device.mountStatus({}) : undefined
      if (mount && mount.state !== 'mounted') throw new TypeError('--link needs your files mounted here: "elsewhere fs mount" first')
      type Sum = { files: number; bytes: number }
      const tell = (done: Sum, all: Sum) => `${done.files} of ${all.files} files, ${megabytes(done.bytes)} of ${megabytes(all.bytes)}`
      const imported = await importFolder(device, dataset, from, at, seldom(json, tell))
      for (const file of imported.skipped) console.error(`left out: ${file}`)
      if (json) console.log(JSON.stringify(imported))
      else
        console.log(
          `${at}: ${imported.files} files, ${imported.folders} folders, ${megabytes(imported.bytes)}; ${imported.same} were there already`,
        )
      if (!mount || imported.skipped.length > 0) return imported.skipped.length > 0 ? 1 : 0
      const { name } = (await device.datasetStatus({ dataset })) as { name: string }
      const aside = linkFromOldPlace(from, path.join(mount.at, name, at))
      if (!json) console.log(`${from} is a link now; the folder itself is ${aside}: remove it when you have looked`)
      return 0
    },
  },
  pin: {
    usage: 'pin PATH',
    what: 'keep a file or folder whole on this device, to be there offline',
    run: (call) => pin(call, true),
  },
  unpin: {
    usage: 'unpin PATH',
    what: 'no longer keep it whole: it may be let go of when others have it',
    run: (call) => pin(call, false),
  },
  policy: {
    usage: 'policy [DATASET] [--copies N] [--on DEVICE...]',
    what: 'say or set where its contents have to be, on all its devices; --on none: on no device by name',
    namesDataset: true,
    run: policy,
  },
  cache: {
    usage: 'cache [SIZE]',
    what: 'say or set how much this device keeps: 500G, 10% of its disk, all, or default',
    isOfAll: true,
    run: cache,
  },
  mkdir: {
    usage: 'mkdir PATH',
    what: 'make a folder',
    async run({ device, dataset, args }) {
      const { folder, name } = splitPath(required(args[0], 'PATH'))
      const parent = await device.datasetAt({ dataset, path: folder })
      await device.makeDatasetFolder({ dataset, parent: parent.node, name })
      return 0
    },
  },
  mv: {
    usage: 'mv PATH PATH',
    what: 'rename or move',
    async run({ device, dataset, args }) {
      const { node } = await device.datasetAt({ dataset, path: required(args[0], 'PATH') })
      const { folder, name } = splitPath(required(args[1], 'the second PATH'))
      const parent = await device.datasetAt({ dataset, path: folder })
      await device.moveDatasetNode({ dataset, node, parent: parent.node, name, replace: false })
      return 0
    },
  },
  rm: {
    usage: 'rm PATH',
    what: 'move to the trash, with all that is in it',
    async run({ device, dataset, args }) {
      const { node } = await device.datasetAt({ dataset, path: required(args[0], 'PATH') })
      await device.removeDatasetNode({ dataset, node })
      return 0
    },
  },
  trash: {
    usage: 'trash [empty [ID...] [--force]]',
    what: 'list what was removed, "restore ID" brings it back; or forget it for good',
    async run({ device, dataset, json, force, args }) {
      if (args[0] === 'empty') return emptyTrash(device, dataset, args.slice(1), { json, force })
      const rows = await device.listDatasetTrash({ dataset })
      if (json) console.log(JSON.stringify(rows, undefined, 2))
      else for (const { info, removedAtMs } of rows) console.log(`${info.node}  ${timeOf(removedAtMs)}  ${info.name}`)
      return 0
    },
  },
  history: {
    usage: 'history PATH',
    what: 'list the versions of a file',
    async run({ device, dataset, json, args }) {
      const { node } = await device.datasetAt({ dataset, path: required(args[0], 'PATH') })
      const versions = await device.datasetVersions({ dataset, node })
      if (json) console.log(JSON.stringify(versions, undefined, 2))
      for (const { version, atMs, bytes, deviceName, isRemoval, isClockAhead } of json ? [] : versions) {
        console.log(
          `${version}  ${timeOf(atMs)}  ${isRemoval ? 'removed' : `${bytes} bytes`}  ${deviceName}${isClockAhead ? '  (its clock is ahead)' : ''}`,
        )
      }
      return 0
    },
  },
  restore: {
    usage: 'restore PATH|ID [VERSION]',
    what: 'make an earlier version the newest, or bring back what was removed; with --at a whole folder',
    async run({ device, dataset, json, atMs, args }) {
      const what = required(args[0], 'PATH or ID')
      if (atMs !== undefined) {
        const { node } = await device.datasetAt({ dataset, path: what, atMs })
        const { restored, missing } = await device.restoreDatasetPast({ dataset, node, atMs })
        const gone = missing > 0 ? `; of ${missing} no version of that time is kept` : ''
        console.log(json ? JSON.stringify({ restored, missing }) : `${restored} files and folders are as they were${gone}`)
        return 0
      }
      const node = /^[0-9a-f]{32}$/.test(what) ? what : (await device.datasetAt({ dataset, path: what })).node
      const info = await device.restoreDatasetNode({ dataset, node, version: args[1] })
      const { path: at } = await device.datasetNode({ dataset, node: info.node })
      console.log(json ? JSON.stringify(info) : at)
      return 0
    },
  },
  mount: {
    usage: 'mount [FOLDER]',
    what: 'mount your files as a folder of this machine, from now on',
    isOfAll: true,
    async run({ device, json, args }) {
      const status = await device.mountDatasets(args[0] === undefined ? {} : { at: path.resolve(args[0]) })
      if (json) console.log(JSON.stringify(status))
      else console.log(status.state === 'mounted' ? status.at : `They will be at ${status.at} when this device is unlocked.`)
      return 0
    },
  },
  unmount: {
    usage: 'unmount [--force]',
    what: 'take that folder away, from now on; --force also while programs use it',
    isOfAll: true,
    async run({ device, json, force }) {
      const status = await device.unmountDatasets({ force })
      console.log(json ? JSON.stringify(status) : `Your files are no longer at ${status.at}.`)
      return 0
    },
  },
  status: {
    usage: 'status',
    what: 'say what is kept here and what is not yet safe',
    async run({ device, dataset, json }) {
      const status = await device.datasetStatus({ dataset })
      if (json) {
        console.log(JSON.stringify(status, undefined, 2))
        return 0
      }
      console.log(`${status.name} · ${status.nodes} files and folders`)
      if (status.loading) {
        const { rows, of } = status.loading
        console.log(`  being loaded  ${rows}${of === undefined ? '' : ` of ${of}`} entries are here; any folder comes when it is looked at`)
      }
      if (status.behind) console.log(`  history  ${status.behind} parts of older changes are still to come`)
      console.log(`  kept here     ${megabytes(status.cachedBytes)} of at most ${megabytes(status.limitBytes)}`)
      console.log(`  not yet safe  ${status.unsafeVersions} versions, ${megabytes(status.unsafeBytes)}`)
      for (const line of keepLines(status)) console.log(line)
      const { pinned } = status
      const toCome = pinned.missingFiles > 0 ? `, ${pinned.missingFiles} still to come` : ''
      if (pinned.files > 0) console.log(`  pinned        ${pinned.files} files, ${megabytes(pinned.bytes)}${toCome}`)
      const ahead = prefetchLine(status.prefetch)
      if (ahead) console.log(`  ahead         ${ahead}`)
      if (status.localBytes > 0)
        console.log(`  only here     ${megabytes(status.localBytes)} in folders like node_modules, which stay on this device`)
      for (const { name, missingSegments } of status.linked) {
        console.log(`  linked        ${name}${missingSegments > 0 ? `, ${missingSegments} pieces of history to come` : ''}`)
      }
      return 0
    },
  },
  tidy: {
    usage: 'tidy',
    what: 'do now what is done in quiet moments: thin history, free space',
    async run({ device, dataset, json }) {
      const tidied = await device.tidyDataset({ dataset })
      const { droppedVersions, freedBytes } = tidied
      console.log(
        json ? JSON.stringify(tidied) : `${droppedVersions} old versions are no longer kept, ${megabytes(freedBytes)} are free again`,
      )
      return 0
    },
  },
  check: {
    usage: 'check',
    what: 'look through everything that is kept here; exit code 1 when something is wrong',
    async run({ device, dataset, json }) {
      const result = await device.checkDataset({ dataset })
      if (json) console.log(JSON.stringify(result, undefined, 2))
      else {
        const { nodes, versions, segments, chunks, awayChunks, unlistedVersions } = result
        console.log(
          `${nodes} files and folders, ${versions} versions, ${segments} segments, ${chunks} chunks here, ${awayChunks} elsewhere`,
        )
        if (unlistedVersions > 0) console.log(`The lists of ${unlistedVersions} versions are elsewhere: what they name was not looked at.`)
        for (const problem of result.problems) console.log(`  ${problem}`)
        console.log(result.problems.length === 0 ? 'Nothing is wrong.' : `${result.problems.length} things are wrong.`)
      }
      return result.problems.length === 0 ? 0 : 1
    },
  },
  ...DATASET_VERBS,
}

export const fsCommand: Command = {
  summary: 'work with the files that are on every device',
  help: [
    'Works with your files on every device. PATH is a path in the dataset, like /notes/plan.txt.\n',
    ...Object.values(VERBS).map(({ usage, what }) => `  ${usage.padEnd(28)} ${what}`),
    '',
    '  --dataset NAME  another dataset than Home',
    '  --at TIME       for ls, cat, get and restore: as it was then. 2h, 7d, yesterday, tuesday (as that day ended),',
    '                  or a date such as 2026-11-24 or 2026-11-24T15:00',
    '  --json          for programs',
    DATA_OPTION,
  ].join('\n'),
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [name = '', ...rest] = positionals
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
    if (!verb) throw new TypeError(`fs takes one of ${Object.keys(VERBS).join(', ')}; "elsewhere fs --help" says more`)
    return withDevice(values.data, async (device) => {
      const { json, force, link } = values
      const atMs = values.at === undefined ? undefined : parsePast(values.at, Date.now())
      const call = { device, json, force, link, atMs, copies: values.copies, on: values.on }
      if (verb.isOfAll) return verb.run({ ...call, dataset: '', args: rest })
      const all = await device.listDatasets({})
      const wanted = (verb.namesDataset ? rest.shift() : undefined) ?? values.dataset
      const found = all.find((one) => one.name === wanted || one.dataset === wanted)
      if (!found)
        throw new TypeError(
          `there is no dataset "${wanted}" open here: ${all.length === 0 ? 'unlock this device first' : all.map((one) => one.name).join(', ')}`,
        )
      return verb.run({ ...call, dataset: found.dataset, args: rest })
    })
  },
}
