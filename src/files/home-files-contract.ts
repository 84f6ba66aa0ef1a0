import * as z from 'zod'
import { isBase64 } from '../base/base64.ts'
import { method, type Contract } from '../rpc/contract.ts'

/** Largest text the editor opens; above it: `file/too-large`. */
export const MAX_TEXT_BYTES = 8 * 1024 * 1024
/** Largest file read whole for a viewer. */
export const MAX_READ_BYTES = 16 * 1024 * 1024
/** Read in one call of a file that is read piece by piece. */
export const MAX_PIECE_BYTES = 1024 * 1024
/** Most entries of one folder that are listed. */
export const MAX_LISTED_ENTRIES = 20_000

/** Entries in one answer of a folder that is listed page by page, and of how many in all. */
export const MAX_LISTED_PAGE = 2_000
export const MAX_PAGED_ENTRIES = 100_000

/** Names found in one search. */
export const MAX_FOUND = 500

/** Every path carries its device: an editor that followed must never save over another machine's file of the same name. */
const place = { device: z.string(), path: z.string().min(1).max(4096) }
const nothing = z.object({})

export const fileEntry = z.object({
  name: z.string(),
  kind: z.enum(['file', 'folder', 'link', 'other']),
  bytes: z.number(),
  modifiedMs: z.number(),
  hidden: z.boolean(),
})
export type FileEntry = z.infer<typeof fileEntry>

/** Opaque: changes whenever the content does (size, mtime in ns, inode). */
const version = z.string().max(200)

/** A file that is being written piece by piece. */
const write = z.string().regex(/^[0-9a-f]{24}$/)

/**
 * The home folder of this and any linked device, until datasets come. Paths are absolute and POSIX-like on their device.
 * Errors: file/not-found, file/exists, file/no-permission, file/changed (version check failed), file/too-large,
 * file/not-text, file/device-away, file/outside-home, file/disk-full, file/bad-path, file/not-a-file, file/not-a-folder,
 * file/other-disk (a move between disks), file/failed.
 */
export const homeFilesContract = {
  homeFolder: method({
    needs: 'desk:read',
    parseInput: z.object({ device: z.string() }).parse,
    parseOutput: z.object({ path: z.string() }).parse,
  }),
  listFolder: method({
    needs: 'desk:read',
    parseInput: z.object(place).parse,
    parseOutput: z.object({ path: z.string(), entries: z.array(fileEntry).max(MAX_LISTED_ENTRIES), truncated: z.boolean() }).parse,
  }),
  /**
   * As `listFolder`, for folders of any size: by name, letter for letter, `MAX_LISTED_PAGE` at a time. `from` 0 looks at the folder anew;
   * the pages after it are of what it had then, without what went meanwhile. `total`: names at that time, at most 100,000.
   */
  listFolderPage: method({
    needs: 'desk:read',
    parseInput: z.object({ ...place, from: z.number().int().min(0).max(MAX_PAGED_ENTRIES) }).parse,
    parseOutput: z.object({ entries: z.array(fileEntry).max(MAX_LISTED_PAGE), total: z.number().int(), truncated: z.boolean() }).parse,
  }),
  /**
   * Names that contain `text`, whatever their case, anywhere below a folder; paths are absolute. Folders behind links are not looked
   * into. Not complete: there are more than 500, or more than could be looked through (200,000 names).
   */
  searchFolder: method({
    needs: 'desk:read',
    parseInput: z.object({ ...place, text: z.string().min(1).max(255) }).parse,
    parseOutput: z.object({ found: z.array(z.object({ entry: fileEntry, path: z.string() })).max(MAX_FOUND), isComplete: z.boolean() })
      .parse,
  }),
  readText: method({
    needs: 'desk:read',
    parseInput: z.object(place).parse,
    parseOutput: z.object({ text: z.string(), version, readOnly: z.boolean() }).parse,
  }),
  /** For images and other viewers; at most 16 MiB, base64. */
  readBytes: method({
    needs: 'desk:read',
    parseInput: z.object(place).parse,
    parseOutput: z.object({ base64: z.string(), version }).parse,
  }),
  /** A part of a file of any size; fewer bytes at its end. With `version`, of that one: another is `file/changed`. `bytes`: of all. */
  readPiece: method({
    needs: 'desk:read',
    parseInput: z.object({
      ...place,
      version: version.optional(),
      offset: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
      length: z.number().int().min(1).max(MAX_PIECE_BYTES),
    }).parse,
    parseOutput: z.object({ base64: z.string().max(Math.ceil(MAX_PIECE_BYTES / 3) * 4), bytes: z.number(), version }).parse,
  }),
  /** `expectedVersion`: as read; null = must not exist yet; absent = overwrite knowingly. Written beside and renamed: never half a file. */
  writeText: method({
    needs: 'desk:write',
    parseInput: z.object({ ...place, text: z.string(), expectedVersion: version.nullable().optional() }).parse,
    parseOutput: z.object({ version }).parse,
  }),
  /** A new file of at most 16 MiB; what is there already is `file/exists`. Written beside and renamed, as texts are. */
  writeBytes: method({
    needs: 'desk:write',
    parseInput: z.object({
      ...place,
      base64: z
        .string()
        .max(Math.ceil(MAX_READ_BYTES / 3) * 4)
        .refine(isBase64),
    }).parse,
    parseOutput: z.object({ version }).parse,
  }),
  /**
   * A new file of any size, piece by piece; nothing is under its name before `commitWrite`. Who was cut off goes on with the same `write`
   * within two minutes: a piece that is there already is not written again. Then, and when it is abandoned, nothing of it is left.
   */
  beginWrite: method({
    needs: 'desk:write',
    parseInput: z.object(place).parse,
    parseOutput: z.object({ write }).parse,
  }),
  /** Answers with how many bytes are there. */
  appendWrite: method({
    needs: 'desk:write',
    parseInput: z.object({
      ...place,
      write,
      offset: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
      base64: z
        .string()
        .max(Math.ceil(MAX_PIECE_BYTES / 3) * 4)
        .refine(isBase64),
    }).parse,
    parseOutput: z.object({ bytes: z.number().int() }).parse,
  }),
  commitWrite: method({
    needs: 'desk:write',
    parseInput: z.object({ ...place, write, bytes: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER) }).parse,
    parseOutput: z.object({ version }).parse,
  }),
  abandonWrite: method({ needs: 'desk:write', parseInput: z.object({ ...place, write }).parse, parseOutput: nothing.parse }),
  makeFolder: method({ needs: 'desk:write', parseInput: z.object(place).parse, parseOutput: nothing.parse }),
  renameEntry: method({
    needs: 'desk:write',
    parseInput: z.object({ ...place, to: z.string().min(1).max(4096) }).parse,
    parseOutput: nothing.parse,
  }),
  /** Moves to the device's own trash (freedesktop trash on Linux); says where. */
  trashEntry: method({ needs: 'desk:write', parseInput: z.object(place).parse, parseOutput: z.object({ trashedTo: z.string() }).parse }),
} satisfies Contract
