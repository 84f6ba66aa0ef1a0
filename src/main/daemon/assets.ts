import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { BROTLI_EXTENSION, COMPRESSIBLE, compressBrotli } from './compression.ts'
import { StartError } from './start-error.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
}
export type Encoding = 'br' | 'gzip' | 'identity'

/** One file of the renderer, held in memory with its compressed forms. */
export interface Asset {
  readonly type: string
  readonly etag: string
  /** Its name holds a hash of its content: it may be kept for ever. */
  readonly immutable: boolean
  body(encoding: Encoding): Promise<{ bytes: Uint8Array; encoding: Encoding }>
}

/**
 * The renderer's files, found once at start: a request can name nothing else, so no path from outside ever reaches the
 * disk. Their compressed forms come from the build; what it did not compress is compressed when first asked for. Kept: a few
 * MB in all.
 */
export class Assets {
  readonly #byPath = new Map<string, Asset>()

  /** @throws StartError `start/no-renderer`  the folder has no index.html */
  constructor(folder: string) {
    for (const name of listFiles(folder)) {
      this.#byPath.set(`/${name.split(path.sep).join('/')}`, makeAsset(path.join(folder, name)))
    }
    const index = this.#byPath.get('/index.html')
    if (!index)
      throw new StartError('start/no-renderer', `The desktop's files are not in ${folder}. Run "npm run build", then start again.`)
    this.#byPath.set('/', index)
  }

  get(urlPath: string): Asset | undefined {
    return this.#byPath.get(urlPath)
  }
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.map') && !entry.name.endsWith(BROTLI_EXTENSION))
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
  } catch (cause) {
    throw new StartError('start/no-renderer', `The desktop's files can't be read in ${folder}. Run "npm run build", then start again.`, {
      cause,
    })
  }
}

const HASHED_NAME = /-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/
function makeAsset(file: string): Asset {
  const plain = readFileSync(file)
  const extension = path.extname(file)
  const kept = new Map<Encoding, Promise<Uint8Array>>([['identity', Promise.resolve(plain)]])
  const compress = (encoding: Encoding): Promise<Uint8Array> => {
    if (encoding === 'gzip') return promisify(gzip)(plain)
    return readFile(`${file}${BROTLI_EXTENSION}`).catch(() => compressBrotli(plain)) // a folder that no build of ours made
  }
  return {
    type: TYPES[extension] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    immutable: HASHED_NAME.test(file),
    async body(wanted) {
      const encoding = COMPRESSIBLE.has(extension) ? wanted : 'identity'
      let bytes = kept.get(encoding)
      if (!bytes) {
        bytes = compress(encoding)
        kept.set(encoding, bytes)
      }
      return { bytes: await bytes, encoding }
    },
  }
}
