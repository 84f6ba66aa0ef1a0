import { clientNow } from '../../desk/app-desk.ts'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { bytesText, countText } from '../plain-words.ts'

/** Has this device keep a file or folder whole from now on, or no longer, and says what that is. Never rejects. */
export async function pinFile(of: { dataset: string; node: string; name: string; isPinned: boolean }): Promise<void> {
  const { dataset, node, name, isPinned } = of
  try {
    const { files, bytes, missingFiles } = await clientNow().pinDatasetNode({ dataset, node, isPinned })
    if (!isPinned) return
    const toCome = missingFiles > 0 ? ` ${countText(missingFiles, 'is', 'are')} on the way.` : ''
    showToast({ severity: 'done', title: `“${name}” is kept here`, body: `${countText(files, 'file')}, ${bytesText(bytes)}.${toCome}` })
  } catch (failure) {
    showToast({ severity: 'error', title: `“${name}” could not be kept here`, body: errorWords(failure) })
  }
}
