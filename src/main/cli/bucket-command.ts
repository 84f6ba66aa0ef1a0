import { parseArgs } from 'node:util'
import { CancelledError } from '../../base/errors.ts'
import { bucketAccess, bucketPlace, type BucketStatus, type ShownBucket } from '../../files/bucket/bucket-contract.ts'
import type { Command } from './command.ts'
import { readSecrets } from './console-prompt.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'

const options = {
  ...dataOptions,
  json: { type: 'boolean', default: false },
  endpoint: { type: 'string' },
  region: { type: 'string', default: 'us-east-1' },
  prefix: { type: 'string', default: '' },
} as const

export const bucketCommand: Command = {
  summary: 'keep an encrypted copy of all files in an S3 bucket',
  help: `A bucket is a holder of your files that is always on. It gets ciphertext under names that say nothing, and no key. Your files count as
safe when it has them; they are read from it when no device of yours has them, and a recovery kit made from then on finds it.

  elsewhere bucket add NAME --endpoint URL [--region REGION] [--prefix FOLDER/]
      asks for the access key and its secret (from standard input: a line each); tries them before it keeps them, sealed
  elsewhere bucket list
  elsewhere bucket status [--now]    --now looks at it and sends what is to be sent first
  elsewhere bucket remove            it counts as a holder no more; what lies in it stays there

  --endpoint URL   https://s3.example.org
  --region REGION  default: us-east-1
  --json           for programs
${DATA_OPTION}

Each device of yours that is given the same bucket sends what the others have not. Exit code: 0, or 1 when a copy is not complete.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...options, now: { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    const [verb, name, ...more] = positionals
    if (more.length > 0 || (verb !== 'add' && name !== undefined)) throw new TypeError('too many words; see "elsewhere bucket --help"')
    const { data, json } = values
    switch (verb) {
      case 'add':
        return add(name, values)
      case 'list':
        return withDevice(data, async (device) => list(await device.listBuckets({}), json))
      case 'status':
        return withDevice(data, async (device) => status(values.now ? await device.syncBuckets({}) : await device.listBuckets({}), json))
      case 'remove':
        return withDevice(data, async (device) => {
          await device.removeBucket({})
          console.log(json ? JSON.stringify({ removed: true }) : 'The bucket counts as a holder no more. What lies in it stays there.')
          return 0
        })
      default:
        throw new TypeError('add, list, status or remove?')
    }
  },
}

async function add(
  bucket: string | undefined,
  {
    data,
    json,
    endpoint,
    region,
    prefix,
  }: { data?: string | undefined; json: boolean; endpoint?: string | undefined; region: string; prefix: string },
): Promise<number> {
  if (!bucket || !endpoint) throw new TypeError('add which bucket, where? NAME --endpoint URL')
  const place = bucketPlace.safeParse({ endpoint, region, bucket, prefix })
  if (!place.success)
    throw new TypeError(`this is no bucket: ${place.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`)
  const [accessKeyId, secretAccessKey] = await readSecrets(['Access key: ', 'Its secret: '])
  if (!accessKeyId || !secretAccessKey) throw new CancelledError('the access key and its secret are needed')
  const access = bucketAccess.safeParse({ ...place.data, accessKeyId, secretAccessKey })
  if (!access.success) throw new TypeError('access key and secret are printable letters without blanks')
  await withDevice(data, (device) => device.addBucket(access.data))
  if (json) console.log(JSON.stringify({ ...place.data, added: true }))
  else
    console.log(
      `Your files go to ${bucket} at ${endpoint}. "elsewhere bucket status" says how far; make a new recovery kit to have it in there.`,
    )
  return 0
}

function list(buckets: readonly ShownBucket[], json: boolean): number {
  if (json)
    console.log(
      JSON.stringify(
        buckets.map(({ endpoint, region, bucket, prefix, dataset, datasetName }) => ({
          endpoint,
          region,
          bucket,
          prefix,
          dataset,
          datasetName,
        })),
        undefined,
        2,
      ),
    )
  else if (buckets.length === 0) console.log('There is none. "elsewhere bucket add" gives this device one.')
  else for (const { bucket, endpoint, prefix, datasetName } of buckets) console.log(`${bucket}/${prefix}  ${endpoint}  ${datasetName}`)
  return 0
}

function status(buckets: readonly ShownBucket[], json: boolean): number {
  if (json) console.log(JSON.stringify(buckets, undefined, 2))
  else if (buckets.length === 0) console.log('There is none. "elsewhere bucket add" gives this device one.')
  else
    for (const { bucket, endpoint, datasetName, status } of buckets) {
      console.log(`${datasetName} in ${bucket} at ${endpoint}`)
      for (const line of status ? linesOf(status) : ['not used: these files are closed']) console.log(`  ${line}`)
    }
  return buckets.every(({ status }) => status?.state === 'safe') ? 0 : 1
}

const STATES: Readonly<Record<BucketStatus['state'], string>> = {
  waiting: 'not looked at yet',
  working: 'at work',
  safe: 'holds everything',
  partial: 'holds all that this device could send',
  failing: 'cannot be used now; it is tried again',
}

function linesOf(status: BucketStatus): string[] {
  const {
    state,
    chunks,
    bytes,
    packs,
    batches,
    todoChunks,
    todoBytes,
    awayChunks,
    onlyThereBytes,
    wrong,
    strangeBatches,
    lookedMs,
    isHolder,
    error,
  } = status
  return [
    `${STATES[state]}${lookedMs === undefined ? '' : `; last looked through ${new Date(lookedMs).toLocaleString()}`}`,
    `${chunks} chunks, ${bytes} bytes in ${packs} packs; ${batches} batches of changes`,
    ...(isHolder ? [] : ['not looked through for a day: it counts as no holder, and nothing is let go of on its word']),
    ...(todoChunks > 0 ? [`${todoChunks} chunks, ${todoBytes} bytes to be sent`] : []),
    ...(onlyThereBytes > 0 ? [`${onlyThereBytes} bytes of it are not on this device`] : []),
    ...(awayChunks > 0 ? [`${awayChunks} chunks are on devices that are away`] : []),
    ...(wrong > 0 ? [`${wrong} objects gave other bytes than were put there; they are put again`] : []),
    ...(strangeBatches > 0 ? [`${strangeBatches} batches are of devices that are not known here`] : []),
    ...(error ? [`${error.message} [${error.code}]`] : []),
  ]
}
