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

const path = z.string().regex(/^\/view\/[\w-]{43}$/)

export const fileViewContract = {
  /**
   * Opens a file for this display: of a device's home, or of a dataset, there the version shown or another. The address is dead once
   * the display locks, closes it, or has opened 256 others since. `isDownload`: it may be asked for by a download too. Rejects with
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
  closeFileView: method({ needs: 'desk:read', parseInput: z.object({ path }).parse, parseOutput: z.object({}).parse }),
} satisfies Contract
