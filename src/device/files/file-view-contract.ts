import * as z from 'zod'
import { method, type Contract } from '../../rpc/contract.ts'

/*
 * Files that a page looks at: their bytes come over HTTP from the origin of the desk, by an address that nobody can guess, that works
 * for one display only, and no longer than that display is unlocked.
 */

/** Below it lie the files that displays look at. */
export const VIEW_PATH = '/view/'

/**
 * What a file is served as, by the ending of its name: nothing that a browser would run in the page, or take for a page. Everything
 * else is bytes. A picture by SVG is drawn by `img` alone, where its scripts and links are dead.
 */
export const VIEW_TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    png: 'image/png',
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    gif: 'image/gif',
    webp: 'image/webp',
    avif: 'image/avif',
    bmp: 'image/bmp',
    ico: 'image/x-icon',
    svg: 'image/svg+xml',
    mp4: 'video/mp4',
    m4v: 'video/mp4',
    mov: 'video/mp4',
    webm: 'video/webm',
    ogv: 'video/ogg',
    mp3: 'audio/mpeg',
    m4a: 'audio/mp4',
    aac: 'audio/aac',
    ogg: 'audio/ogg',
    oga: 'audio/ogg',
    opus: 'audio/ogg',
    flac: 'audio/flac',
    wav: 'audio/wav',
    pdf: 'application/pdf',
  }),
)

/** For a name without a type of its own. */
export const PLAIN_BYTES = 'application/octet-stream'

/** Entries of one folder that are brought out together; more are taken with the folder they lie in. */
export const MAX_ARCHIVED_TOPS = 10_000

const path = z.string().regex(/^\/view\/[\w-]{43}$/)
const name = z.string().min(1).max(255)
const count = z.number().int().min(0)

const archiveState = z.object({
  /** Another with every change. */
  step: count,
  phase: z.enum(['waiting', 'reading', 'done', 'stopped']),
  /** Found until now; all there are once `isCounted`. */
  files: count,
  bytes: count,
  isCounted: z.boolean(),
  doneFiles: count,
  doneBytes: count,
  /** Could not be read; named in the archive itself. */
  leftOut: count,
  firstLeftOut: z.string().max(255).optional(),
})

export const fileViewContract = {
  /**
   * Opens a file for this display: of a device's home, or of a dataset, there the version shown or another. The address is dead once
   * the display locks, closes it, or has opened 256 others since (but an archive that is being read). `isDownload`: it may be asked for by a download too. Rejects with
   * file/not-found, file/not-a-file, file/device-away and the like, and with `view/no-page` where no page asks.
   */
  openFileView: method({
    needs: 'desk:read',
    parseInput: z.object({
      of: z.union([
        z.object({ device: z.string(), path: z.string().min(1).max(4096) }),
        z.object({
          dataset: z.string().min(1).max(64),
          node: z.string().regex(/^[0-9a-f]{32}$/),
          version: z.string().max(40).optional(),
        }),
      ]),
      isDownload: z.boolean().optional(),
    }).parse,
    parseOutput: z.object({ path, type: z.string().max(80), bytes: z.number().min(0) }).parse,
  }),
  /**
   * Files and folders, with all that is in them, as one zip; an address as that of a file, for one reading, by a download too. Nothing is
   * read, nor looked for, before it is asked for. `name`: what they are called together. Closed as a view is, which stops it.
   */
  openArchive: method({
    needs: 'desk:read',
    parseInput: z.object({
      name,
      of: z.union([
        z.object({ device: z.string(), folder: z.string().min(1).max(4096), names: z.array(name).min(1).max(MAX_ARCHIVED_TOPS) }),
        z.object({
          nodes: z
            .array(z.object({ dataset: z.string().min(1).max(64), node: z.string().regex(/^[0-9a-f]{32}$/) }))
            .min(1)
            .max(MAX_ARCHIVED_TOPS),
        }),
      ]),
    }).parse,
    parseOutput: z.object({ path, name }).parse,
  }),
  /** How an archive of this display stands, once that is another than at `after`. Rejects with `view/closed`. */
  archiveState: method({ needs: 'desk:read', parseInput: z.object({ path, after: count }).parse, parseOutput: archiveState.parse }),
  closeFileView: method({ needs: 'desk:read', parseInput: z.object({ path }).parse, parseOutput: z.object({}).parse }),
} satisfies Contract
