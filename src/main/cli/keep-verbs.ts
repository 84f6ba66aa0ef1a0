import { cacheLimitText, parseCacheLimit } from '../../files/cache-limit-contract.ts'
import type { DatasetStatus, PolicyState } from '../../files/dataset-contract.ts'
import { findDevice } from './find-device.ts'
import { type FsCall, megabytes } from './fs-calls.ts'

/** `elsewhere fs policy`: where contents of a dataset have to be, on all its devices. */
export async function policy({ device, dataset, json, copies, on }: FsCall): Promise<number> {
  const { name, policy: before, ...status } = await device.datasetStatus({ dataset })
  let state: PolicyState = before
  if (copies !== undefined || on !== undefined) {
    const rows = await device.listDevices({})
    const isNone = on?.length === 1 && on[0] === 'none'
    const named = isNone ? [] : on?.map((wanted) => findDevice(rows, wanted).deviceId)
    const wanted = { copies: copies === undefined ? before.copies : copiesOf(copies), on: named ?? before.on.map(({ device }) => device) }
    state = await device.setDatasetPolicy({ dataset, ...wanted })
  }
  if (json) {
    console.log(JSON.stringify({ name, ...state }, undefined, 2))
    return 0
  }
  console.log(`${name}: ${policyWords(state)}`)
  const why = whyUnsafe(state)
  if (why) console.log(`  ${why}`)
  if (copies === undefined && on === undefined && status.unsafeVersions > 0)
    console.log(`  not yet safe: ${status.unsafeVersions} versions, ${megabytes(status.unsafeBytes)}`)
  return 0
}

/** `elsewhere fs cache`: how much this device keeps of the contents of all datasets. */
export async function cache({ device, json, args }: FsCall): Promise<number> {
  const [size] = args
  if (size !== undefined) {
    const cacheLimit = parseCacheLimit(size)
    if (!cacheLimit) throw new TypeError(`"${size}" is no size: give 500G, 10%, all or default, and 64M at least`)
    await device.writeSettings({ cacheLimit })
  }
  const { cacheLimit } = await device.readSettings({})
  const statuses = await Promise.all((await device.listDatasets({})).map(({ dataset }) => device.datasetStatus({ dataset })))
  const cachedBytes = statuses.reduce((sum, status) => sum + status.cachedBytes, 0)
  const limitBytes = statuses[0]?.limitBytes
  const cutShort = statuses.filter(({ isCutShort }) => isCutShort).map(({ name }) => name)
  const limit = cacheLimitText(cacheLimit)
  if (json) console.log(JSON.stringify({ limit, limitBytes, cachedBytes, cutShort }))
  else if (limitBytes === undefined) console.log(`${limit}; your files are closed here`)
  else {
    console.log(`${limit}: ${megabytes(cachedBytes)} kept here, of at most ${megabytes(limitBytes)}`)
    if (cutShort.length > 0) console.log(`  ${limitWords}`)
  }
  return 0
}

/** Lines of `elsewhere fs status` about what is kept where. */
export function keepLines({
  policy,
  unsafeVersions,
  isCutShort,
  held,
}: Pick<DatasetStatus, 'policy' | 'unsafeVersions' | 'isCutShort' | 'held'>): string[] {
  const why = whyUnsafe(policy)
  return [
    ...(policy.copies > 1 || policy.on.length > 0 ? [`  copies        ${policyWords(policy)}`] : []),
    ...(why && unsafeVersions > 0 ? [`                ${why}`] : []),
    ...(isCutShort ? [`  limit         ${limitWords}`] : []),
    ...(held ? heldWords(held).map((words) => `  nothing goes  ${words}`) : []),
  ]
}

/** Why nothing is let go of here, however much is kept. */
function heldWords({ unreadable, unheard, untilMs }: NonNullable<DatasetStatus['held']>): string[] {
  const until = untilMs === undefined ? '' : `, until ${new Date(untilMs).toISOString().slice(0, 10)} at most`
  const parts = unreadable === 1 ? 'a part of what was changed here waits' : `${unreadable} parts of what was changed here wait`
  return [
    ...(unreadable > 0
      ? [`${parts} and cannot be read yet: a key is missing, or a later version wrote it; link your other devices, and update this one`]
      : []),
    ...(unheard?.length === 0
      ? [`the list of files was damaged and made again, and part of its history is lost: all bytes are kept${until}`]
      : []),
    ...(unheard && unheard.length > 0
      ? [`the list of files was damaged and made again; link ${unheard.join(', ')} once: all bytes are kept${until}`]
      : []),
  ]
}

const limitWords = 'limit reached: not all that is to be kept here has room; "elsewhere fs cache 500G" or "fs cache all" makes some'

const names = (devices: readonly { readonly name: string }[]) => devices.map(({ name }) => name).join(', ')

function policyWords({ copies, on }: PolicyState): string {
  const others = `on ${copies} ${copies === 1 ? 'device' : 'devices'} besides the one that wrote it, always-on ones first`
  return on.length > 0 ? `${others}; all of it on ${names(on)}` : others
}

/** Why what is not safe cannot be safe now; undefined: it only takes its time. */
function whyUnsafe({ copies, unmet }: PolicyState): string | undefined {
  if (!unmet) return undefined
  if (unmet.why === 'too-few') return `there are too few devices: ${unmet.has} of ${copies}; add one, a bucket, or ask for fewer copies`
  if (unmet.why === 'left') return `${names(unmet.devices)} left and can hold nothing: name another with --on, or none`
  return `${names(unmet.devices)} is not linked now; it fetches what it lacks when it is`
}

function copiesOf(text: string): number {
  if (/^[1-8]$/.test(text)) return Number(text)
  throw new TypeError(`--copies takes a number from 1 to 8, not "${text}"`)
}
