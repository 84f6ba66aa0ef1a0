import * as z from 'zod'
import { isBase64 } from '../base/base64.ts'
import { event, method, type Contract } from '../rpc/contract.ts'

/*
 * Datasets as displays and the command line see them: on this device, whatever device wrote what. Files and folders are named
 * by node id, which stays when they are renamed or moved; `datasetAt` finds the id of a path.
 */

/** Read or appended in one call. */
export const MAX_DATASET_PIECE_BYTES = 1024 * 1024
/** New files in one call, and how long each may be. */
export const MAX_DATASET_FILES = 256
export const MAX_SMALL_FILE_BYTES = 64 * 1024
/** Entries in one answer; a longer folder is listed page by page. */
export const MAX_DATASET_PAGE = 2000

const dataset = z.string().min(1).max(64)
const node = z.string().regex(/^[0-9a-f]{32}$/)
const version = z.string().regex(/^([0-9a-f]{24}\.\d{1,10})?$/)
const name = z.string().min(1).max(255)
const path = z.string().max(65_536)
const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const atMs = z.number()
const device = z.string().max(64)
const base64 = z
  .string()
  .max(Math.ceil(MAX_DATASET_PIECE_BYTES / 3) * 4)
  .refine(isBase64)
const nothing = z.object({})
const mode = z.number().int().min(0).max(0o7777)
const smallFile = z.object({
  parent: node,
  name,
  mode: mode.optional(),
  mtimeMs: z.number().optional(),
  base64: z
    .string()
    .max(Math.ceil(MAX_SMALL_FILE_BYTES / 3) * 4)
    .refine(isBase64),
})
const isOnePiece = (files: readonly { readonly base64: string }[]) =>
  files.reduce((sum, file) => sum + file.base64.length, 0) <= Math.ceil(MAX_DATASET_PIECE_BYTES / 3) * 4
/** Of a replica policy: more copies than these, or devices named, nobody needs. */
export const MAX_COPIES = 8
export const MAX_NAMED_DEVICES = 32
const copies = z.number().int().min(1).max(MAX_COPIES)

/** The top folder of every dataset. */
export const DATASET_ROOT = '0'.repeat(32)

const datasetNode = z.object({
  node,
  parent: node,
  name: z.string().max(255),
  kind: z.enum(['file', 'folder', 'link']),
  mode: z.number().int(),
  mtimeMs: z.number(),
  changedMs: z.number(),
  bytes,
  version,
  /** What a link says. */
  target: z.string().max(4095).optional(),
  /** It lost against a version written at the same time, and waits for somebody to choose. */
  isConflictCopy: z.boolean(),
  hasConflict: z.boolean(),
  /** What changed it last was written by a clock more than 5 minutes ahead: times of it are shown as 5 minutes ahead. */
  isClockAhead: z.boolean().optional(),
  /** Of its bytes: all are on this device, some, none. A folder is always here. */
  place: z.enum(['here', 'part', 'away']),
  /** As many other devices as the dataset asks for have said in writing that they hold this version. */
  isSafe: z.boolean(),
  /** A folder of this device only, or something in one: no log, no history, nothing of it elsewhere. */
  isLocal: z.boolean().optional(),
  /** This device keeps it whole, to be there offline: by itself or by a folder above. */
  pinned: z.enum(['self', 'above']).optional(),
  /** Of a tree of the past: `version` is what was shown then, an earlier one that is kept instead of it, or none is kept. */
  past: z.enum(['exact', 'earlier', 'gone']).optional(),
})
export type DatasetNodeInfo = z.infer<typeof datasetNode>

const datasetVersion = z.object({
  version,
  device,
  deviceName: z.string().max(80),
  atMs,
  /** Written by a clock that is ahead. */
  isClockAhead: z.boolean().optional(),
  mtimeMs: z.number(),
  bytes,
  isRemoval: z.boolean(),
})
export type DatasetVersionInfo = z.infer<typeof datasetVersion>

const named = z.object({ device, name: z.string().max(80) })
const policyState = z.object({
  /** Other devices that must have said in writing that they hold a version. */
  copies,
  /** These must, too, and keep everything. */
  on: z.array(named).max(MAX_NAMED_DEVICES),
  /**
   * Why it cannot be met, as far as can be known: there are too few other devices (`has`, a bucket among them); devices that it names are no
   * longer this person's; devices that it names are not linked now.
   */
  unmet: z
    .discriminatedUnion('why', [
      z.object({ why: z.literal('too-few'), has: z.number().int() }),
      z.object({ why: z.literal('left'), devices: z.array(named).max(MAX_NAMED_DEVICES) }),
      z.object({ why: z.literal('away'), devices: z.array(named).max(MAX_NAMED_DEVICES) }),
    ])
    .optional(),
})
export type PolicyState = z.infer<typeof policyState>

const datasetStatus = z.object({
  dataset,
  name: z.string().max(80),
  /** Files, folders and links, with what is in the trash. */
  nodes: z.number().int(),
  /** Versions that are on too few other devices, and their bytes. */
  unsafeVersions: z.number().int(),
  unsafeBytes: bytes,
  /** What this device keeps of the contents. */
  cachedChunks: z.number().int(),
  cachedBytes: bytes,
  limitBytes: bytes,
  /** What is to be kept whole here (pinned, or by the policy) has no room within that limit. */
  isCutShort: z.boolean(),
  /** Where contents have to be, and why they cannot be there now. */
  policy: policyState,
  /** In folders of this device only (`node_modules` and the like); not counted above. */
  localNodes: z.number().int(),
  localBytes: bytes,
  /** What is kept whole on this device, and what of it is not here yet. */
  pinned: z.object({ files: z.number().int(), bytes, missingFiles: z.number().int(), missingBytes: bytes }),
  /** What is fetched when this device is unlocked, before anybody asks for it: see prefetch.ts. */
  prefetch: z.object({
    state: z.enum(['idle', 'fetching', 'waiting', 'metered', 'full']),
    files: z.number().int(),
    bytes,
    doneFiles: z.number().int(),
    doneBytes: bytes,
  }),
  /** This device is new, and the rest of its tree is still coming: entries that are here. Absent: all is. */
  loading: z.object({ rows: z.number().int(), of: z.number().int().optional() }).optional(),
  /** Segments of logs that a checkpoint stands for and that are still to come; absent: none. */
  behind: z.number().int().optional(),
  /**
   * Why nothing is let go of here, and the limit may be passed; absent: it is not so. `unreadable`: so many parts of what this device wrote
   * wait and cannot be read: a key is missing, or a later version wrote them. `unheard`: the tree was made again, and these devices were not heard since (none of them:
   * part of the logs was lost); `untilMs`: longer nobody waits for that.
   */
  held: z
    .object({ unreadable: z.number().int(), unheard: z.array(z.string().max(80)).max(1024).optional(), untilMs: atMs.optional() })
    .optional(),
  /** Devices whose files can be asked for now. */
  linked: z.array(z.object({ device, name: z.string().max(80), missingSegments: z.number().int() })).max(256),
})
export type DatasetStatus = z.infer<typeof datasetStatus>

const pinnedSize = z.object({ files: z.number().int(), bytes, missingFiles: z.number().int(), missingBytes: bytes })

const checkResult = z.object({
  nodes: z.number().int(),
  versions: z.number().int(),
  segments: z.number().int(),
  chunks: z.number().int(),
  /** Chunks of versions that are kept which are not on this device: fetched when read. */
  awayChunks: z.number().int(),
  /** Versions whose list of pieces is not here, so that what it names was not looked at. */
  unlistedVersions: z.number().int(),
  problems: z.array(z.string().max(500)).max(1000),
})

const of = { dataset, node }
const page = z.object({ entries: z.array(datasetNode).max(MAX_DATASET_PAGE), total: z.number().int() })

export const datasetContract = {
  listDatasets: method({
    needs: 'desk:read',
    parseInput: nothing.parse,
    parseOutput: z.array(z.object({ dataset, name: z.string().max(80) })).max(1000).parse,
  }),
  datasetStatus: method({ needs: 'desk:read', parseInput: z.object({ dataset }).parse, parseOutput: datasetStatus.parse }),
  /** What lies at a path from the top, `/` being the top itself. Rejects with `file/not-found`. */
  datasetAt: method({
    needs: 'desk:read',
    parseInput: z.object({ dataset, path, atMs: atMs.optional() }).parse,
    parseOutput: datasetNode.parse,
  }),
  datasetNode: method({ needs: 'desk:read', parseInput: z.object(of).parse, parseOutput: z.object({ info: datasetNode, path }).parse }),
  /** Sorted by name. With `atMs`, here and in datasetAt: as it was then, to be looked at only. */
  listDatasetFolder: method({
    needs: 'desk:read',
    parseInput: z.object({
      ...of,
      atMs: atMs.optional(),
      from: z.number().int().min(0).default(0),
      limit: z.number().int().min(1).max(MAX_DATASET_PAGE),
      /** Only what is in the dataset, not what stays on this device beside it. */
      withoutLocal: z.boolean().optional(),
    }).parse,
    parseOutput: page.parse,
  }),
  /** Names that contain `text`, anywhere below `node`; the first 500. */
  searchDataset: method({
    needs: 'desk:read',
    parseInput: z.object({ ...of, text: z.string().min(1).max(255) }).parse,
    parseOutput: z.object({ found: z.array(z.object({ info: datasetNode, path })).max(500), isComplete: z.boolean() }).parse,
  }),
  /** Of the version shown, or another; fewer bytes at the end. Waits for linked devices where bytes are there only. */
  readDatasetBytes: method({
    needs: 'desk:read',
    parseInput: z.object({
      ...of,
      version: version.optional(),
      offset: bytes,
      length: z.number().int().min(1).max(MAX_DATASET_PIECE_BYTES),
    }).parse,
    parseOutput: z.object({ base64, bytes }).parse,
  }),
  /**
   * Begins new content: of a file that is there (`node`, and the `base` version it was made from), or of a new one (`parent`,
   * `name`). Nothing is seen of it before `commitDatasetWrite`; given up when this connection ends.
   */
  beginDatasetWrite: method({
    needs: 'desk:write',
    parseInput: z.object({
      dataset,
      to: z.union([z.object({ node, base: version }), z.object({ parent: node, name, mode: mode.optional() })]),
      mtimeMs: z.number().optional(),
    }).parse,
    parseOutput: z.object({ write: z.string().max(64) }).parse,
  }),
  appendDatasetWrite: method({
    needs: 'desk:write',
    parseInput: z.object({ write: z.string().max(64), base64 }).parse,
    parseOutput: z.object({ bytes }).parse,
  }),
  commitDatasetWrite: method({
    needs: 'desk:write',
    parseInput: z.object({ write: z.string().max(64) }).parse,
    parseOutput: datasetNode.parse,
  }),
  abandonDatasetWrite: method({
    needs: 'desk:write',
    parseInput: z.object({ write: z.string().max(64) }).parse,
    parseOutput: nothing.parse,
  }),
  /**
   * New files, short ones, many in one call: at most `MAX_DATASET_PIECE_BYTES` in all. Each is kept as `commitDatasetWrite` keeps one; `put` says which are
   * there by this call: what has its name already is left.
   */
  putDatasetFiles: method({
    needs: 'desk:write',
    parseInput: z.object({ dataset, files: z.array(smallFile).min(1).max(MAX_DATASET_FILES).refine(isOnePiece) }).parse,
    parseOutput: z.object({ put: z.array(z.boolean()).max(MAX_DATASET_FILES) }).parse,
  }),
  makeDatasetFolder: method({
    needs: 'desk:write',
    parseInput: z.object({ dataset, parent: node, name }).parse,
    parseOutput: datasetNode.parse,
  }),
  /** A link; `target` as its reader gets it. */
  makeDatasetLink: method({
    needs: 'desk:write',
    parseInput: z.object({ dataset, parent: node, name, target: z.string().min(1).max(4095) }).parse,
    parseOutput: datasetNode.parse,
  }),
  /** This device keeps it whole from now on, with all that is and comes into it; or no longer. Answers what that is. */
  pinDatasetNode: method({
    needs: 'desk:write',
    parseInput: z.object({ ...of, isPinned: z.boolean() }).parse,
    parseOutput: pinnedSize.parse,
  }),
  /**
   * Where contents of this dataset have to be, from now on, on all its devices: on so many besides the one that wrote, and on each that is
   * named. Rejects with `policy/unknown-device`.
   */
  setDatasetPolicy: method({
    needs: 'desk:write',
    parseInput: z.object({ dataset, copies, on: z.array(device.min(1)).max(MAX_NAMED_DEVICES) }).parse,
    parseOutput: policyState.parse,
  }),
  /** Rename and move are one. Without `replace` an entry at the target is `file/exists`. */
  moveDatasetNode: method({
    needs: 'desk:write',
    parseInput: z.object({ ...of, parent: node, name, replace: z.boolean().default(false) }).parse,
    parseOutput: datasetNode.parse,
  }),
  /** Content is not copied: both name the same chunks. */
  copyDatasetNode: method({
    needs: 'desk:write',
    parseInput: z.object({ ...of, parent: node, name }).parse,
    parseOutput: datasetNode.parse,
  }),
  /** To the trash of the dataset, with all that is in it. */
  removeDatasetNode: method({ needs: 'desk:write', parseInput: z.object(of).parse, parseOutput: nothing.parse }),
  listDatasetTrash: method({
    needs: 'desk:read',
    parseInput: z.object({ dataset }).parse,
    parseOutput: z.array(z.object({ info: datasetNode, removedAtMs: atMs })).max(5000).parse,
  }),
  /** What is in the trash, and what the devices of it get back when it is emptied: bytes on this device that nothing else names. */
  datasetTrashSize: method({
    needs: 'desk:read',
    parseInput: z.object({ dataset }).parse,
    parseOutput: z.object({ entries: z.number().int(), bytes, freedBytes: bytes }).parse,
  }),
  /** Forgets what is in the trash, or these of it, on every device. Cannot be undone. */
  emptyDatasetTrash: method({
    needs: 'desk:write',
    parseInput: z.object({ dataset, nodes: z.array(node).max(10_000).optional() }).parse,
    parseOutput: z.object({ entries: z.number().int() }).parse,
  }),
  /** Does now what is done in quiet moments: thins history, forgets what nothing names, gives its space back. */
  tidyDataset: method({
    needs: 'desk:write',
    parseInput: z.object({ dataset }).parse,
    parseOutput: z.object({ droppedVersions: z.number().int(), droppedChunks: z.number().int(), freedBytes: bytes }).parse,
  }),
  /** Has this device seen a version, be it kept or not? */
  hasSeenVersion: method({
    needs: 'desk:read',
    parseInput: z.object({ dataset, version }).parse,
    parseOutput: z.object({ isSeen: z.boolean() }).parse,
  }),
  datasetVersions: method({ needs: 'desk:read', parseInput: z.object(of).parse, parseOutput: z.array(datasetVersion).max(10_000).parse }),
  /** Devices that have the bytes of the version shown: this one, its author, and those that said so in writing. */
  datasetHolders: method({
    needs: 'desk:read',
    parseInput: z.object(of).parse,
    parseOutput: z.array(z.object({ device, name: z.string().max(80), how: z.enum(['here', 'wrote', 'signed']) })).max(1024).parse,
  }),
  /** An earlier version becomes the newest one; without `version`, out of the trash. */
  restoreDatasetNode: method({
    needs: 'desk:write',
    parseInput: z.object({ ...of, version: version.optional() }).parse,
    parseOutput: datasetNode.parse,
  }),
  /** Makes a file or folder what it was, with all that was in it; what came to it since stays. */
  restoreDatasetPast: method({
    needs: 'desk:write',
    parseInput: z.object({ ...of, atMs }).parse,
    parseOutput: z.object({ restored: z.number().int(), missing: z.number().int() }).parse,
  }),
  /** Looks through everything this device keeps of a dataset; what is damaged is forgotten and fetched again. */
  checkDataset: method({ needs: 'desk:read', parseInput: z.object({ dataset }).parse, parseOutput: checkResult.parse }),
  /**
   * Something of it is another now; `folders`: whose listing may be. Changes that follow each other closely come as one, with `isMore`. Without
   * any node: other devices told what they hold.
   */
  onDidChangeDataset: event({
    needs: 'desk:read',
    parse: z.object({ dataset, nodes: z.array(node).max(1000), folders: z.array(node).max(1000), isMore: z.boolean() }).parse,
  }),
} satisfies Contract
