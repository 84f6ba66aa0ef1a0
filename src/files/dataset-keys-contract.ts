import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'
import { cacheLimit } from './cache-limit-contract.ts'
import { bucketAccess } from './bucket/bucket-contract.ts'

/*
 * What the device process tells the files process of the same device, over its 0600 socket. Keys cross here and nowhere else,
 * are held in memory only, and go when the device locks.
 */

const dataset = z.string().min(1).max(64)
const key = z.string().regex(/^[A-Za-z0-9_-]{43}$/) // 32 bytes, URL-safe base64
const device = z.string().min(1).max(64)
const devices = z
  .array(
    z.object({
      device,
      name: z.string().max(80),
      isMember: z.boolean(),
      /** It may say what a dataset was: its checkpoints count. Absent: as a member. */
      isAdmin: z.boolean().optional(),
    }),
  )
  .max(1024)
const epochs = z
  .array(
    z.object({
      epoch: z
        .number()
        .int()
        .min(0)
        .max(2 ** 32 - 1),
      key,
    }),
  )
  .min(1)
  .max(1024)
/** Of this device: it starts by itself and stays on; how much it keeps of contents. */
const ofDevice = { isAlwaysOn: z.boolean().optional(), cacheLimit: cacheLimit.optional() }
const nothing = z.object({})
const ip = z.union([z.ipv4(), z.ipv6()])
const rtc = z.object({ remote: ip, iceServers: z.array(z.string().max(512)).max(8), bindAddress: ip.optional() })

export const datasetKeysContract = {
  /** Opens a dataset, or renews what is known of an open one. The last epoch is the one in use. */
  openDataset: method({
    needs: 'files:run',
    parseInput: z.object({
      dataset,
      name: z.string().min(1).max(80),
      device,
      idKey: key,
      epochs,
      /** Seals what the files process keeps on disk. */
      storageKey: key,
      /** Seed of the key that signs this device's segments, and the device's word for it. */
      segmentSeed: key,
      certificate: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
      devices,
      ...ofDevice,
      /** It holds the dataset, too. */
      bucket: bucketAccess.optional(),
    }).parse,
    parseOutput: nothing.parse,
  }),
  /** A device came or left, or a new epoch began. */
  renewDataset: method({
    needs: 'files:run',
    parseInput: z.object({ dataset, epochs, devices, ...ofDevice }).parse,
    parseOutput: nothing.parse,
  }),
  /** What the person's windows show, `/Home/notes.md`: fetched before anybody asks, with what was written last. */
  prefetchDatasets: method({
    needs: 'files:run',
    parseInput: z.object({ paths: z.array(z.string().min(1).max(4096)).max(100) }).parse,
    parseOutput: nothing.parse,
  }),
  /** It is put away: its mount and its keys go, the others stay. */
  closeDataset: method({ needs: 'files:run', parseInput: z.object({ dataset }).parse, parseOutput: nothing.parse }),
  /** The device locks: everything is closed and every key wiped. */
  closeDatasets: method({ needs: 'files:run', parseInput: nothing.parse, parseOutput: nothing.parse }),
  /** A linked device: bytes of its files process come and go on the channel from now on. */
  linkFiles: method({
    needs: 'files:run',
    parseInput: z.object({
      device,
      /**
       * Chunks may cross connections of their own; this process listens at `address` and connects to `remote`, or neither. `rtc`: else by
       * WebRTC, as the link.
       */
      direct: z.object({ address: ip.optional(), remote: ip.optional(), rtc: rtc.optional() }).optional(),
    }).parse,
    parseOutput: z.object({ channel: z.number().int() }).parse,
  }),
  /** Somebody is at work on this device: what crosses direct connections makes way for a while. */
  noteLive: method({ needs: 'files:run', parseInput: nothing.parse, parseOutput: nothing.parse }),
  /** How many connections carry chunks beside the link of a device, and of which kind. */
  onDidChangeDirect: event({
    needs: 'files:run',
    parse: z.object({ device, connections: z.number().int(), kind: z.enum(['tls', 'webrtc']).optional() }).parse,
  }),
  /** The tree of a dataset was damaged: it lies in a file of this name now, and is made again of its logs (rule DS12). */
  onDidSetAside: event({ needs: 'files:run', parse: z.object({ dataset, name: z.string().max(80), file: z.string().max(255) }).parse }),
  /** A log of files stops at a segment that cannot be taken in (rule OL6): in which dataset, and whose it says it is. */
  onDidRefuseLog: event({ needs: 'files:run', parse: z.object({ dataset, name: z.string().max(80), device: z.string().max(80) }).parse }),
} satisfies Contract
export type OpenDatasetInput = ReturnType<typeof datasetKeysContract.openDataset.parseInput>
