import { clientNow } from '../../desk/app-desk.ts'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { bytesText, countText } from '../plain-words.ts'
import type { PaneEntry } from './file-source.ts'

/** Has this device keep files and folders whole from now on, or no longer, and says what that is. Never rejects. */
export async function pinFiles(entries: readonly PaneEntry[], isPinned: boolean): Promise<void> {
  const sum = { files: 0, bytes: 0, missing: 0 }
  const name = entries.length === 1 ? `“${entries[0]?.name ?? ''}”` : countText(entries.length, 'entry', 'entries')
  try {
    for (const { shared } of entries) {
      if (!shared || shared.isLocal) continue // stays on this device as it is
      const { dataset, node } = shared
      const { files, bytes, missingFiles } = await clientNow().pinDatasetNode({ dataset, node, isPinned })
      sum.files += files
      sum.bytes += bytes
      sum.missing += missingFiles
    }
    if (!isPinned) return
    const toCome = sum.missing > 0 ? ` ${countText(sum.missing, 'is', 'are')} on the way.` : ''
    const title = `${name} ${entries.length === 1 ? 'is' : 'are'} kept here`
    showToast({ severity: 'done', title, body: `${countText(sum.files, 'file')}, ${bytesText(sum.bytes)}.${toCome}` })
  } catch (failure) {
    showToast({ severity: 'error', title: `${name} could not be kept here`, body: errorWords(failure) })
  }
}
