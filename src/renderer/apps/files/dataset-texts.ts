import { MAX_TEXT_BYTES } from '../../../files/home-files-contract.ts'
import { errorCode } from '../../../base/errors.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import type { EditorCalls } from '../editor/editor-parts.ts'
import { findNode, followLinks, type Found, readAll, writeContent } from './dataset-source.ts'
import { SourceError } from './file-source.ts'
import { baseName, parentPath } from './home-path.ts'

type Calls = Pick<
  DeviceClient,
  | 'listDatasets'
  | 'datasetAt'
  | 'hasSeenVersion'
  | 'readDatasetBytes'
  | 'beginDatasetWrite'
  | 'appendDatasetWrite'
  | 'commitDatasetWrite'
  | 'abandonDatasetWrite'
>

/** A save is not cancelled half way. */
const NEVER = new AbortController().signal

/** A byte order mark stays in the text, so that saving puts it back. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Texts in datasets, by the words of homeFilesContract: `file/changed` when the version shown is not the one the text was made
 * from. Two devices that save at the same moment are beyond this check; then both texts are kept, one as a conflict copy.
 */
export function datasetTexts(client: Calls): EditorCalls {
  return {
    async readText({ path, seen }) {
      const found = await followLinks(client, path).catch((error: unknown) => {
        if (seen && errorCode(error) === 'file/not-found') throw behind(path)
        throw error
      })
      if (seen && seen !== found.info.version) {
        const { isSeen } = await client.hasSeenVersion({ dataset: found.dataset, version: seen })
        if (!isSeen) throw behind(path)
      }
      if (found.info.bytes > MAX_TEXT_BYTES) throw new SourceError('file/too-large', `${path} is larger than ${MAX_TEXT_BYTES} bytes`)
      return { text: textOf(await readAll(client, found), path), version: found.info.version, readOnly: false }
    },
    lastText: () => Promise.resolve(null), // the text itself is kept here, or fetched
    async writeText({ path, text, expectedVersion }) {
      if (/\p{Surrogate}/u.test(text)) throw new SourceError('file/not-text', `${path} was not saved: the text holds half a character`)
      const bytes = new TextEncoder().encode(text)
      if (bytes.length > MAX_TEXT_BYTES) throw new SourceError('file/too-large', `${path} would be larger than ${MAX_TEXT_BYTES} bytes`)
      const there = await followLinks(client, path).catch((error: unknown) => {
        if (errorCode(error) === 'file/not-found') return undefined
        throw error
      })
      if (expectedVersion === null && there) throw new SourceError('file/exists', `${path} is there already`)
      if (typeof expectedVersion === 'string' && there?.info.version !== expectedVersion)
        throw new SourceError('file/changed', `${path} is not as it was when it was opened`)
      return { version: await write(client, path, there, bytes) }
    },
  }
}

async function write(client: Calls, path: string, there: Found | undefined, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const folder = there ? undefined : await findNode(client, parentPath(path))
  const dataset = (there ?? folder)?.dataset ?? ''
  const to = there
    ? { node: there.info.node, base: there.info.version }
    : { parent: folder?.info.node ?? '', name: baseName(path), mode: 0o644 }
  const info = await writeContent(client, { dataset, to }, new Blob([bytes]), { signal: NEVER, onBytes: () => undefined })
  return info.version
}

const behind = (path: string) => new SourceError('file/behind', `${path} is newer on another device than here; it is on its way`)

function textOf(bytes: Uint8Array, path: string): string {
  const notText = (why: string) => new SourceError('file/not-text', `${path} is not a text (${why}); the editor would damage it`)
  if (bytes.includes(0)) throw notText('it holds NUL bytes')
  try {
    return decoder.decode(bytes)
  } catch {
    throw notText('it is not UTF-8')
  }
}
