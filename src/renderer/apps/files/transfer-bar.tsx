import { X } from 'lucide-react'
import { IconButton } from '../../ui/icon-button.tsx'
import { bytesText } from '../plain-words.ts'
import { useTransfers } from './transfers.ts'

/** What is on its way, with how far it is and a way to stop it. */
export function TransferBar() {
  const list = useTransfers((state) => state.list)
  return list.map(({ id, title, doneBytes, totalBytes, doneFiles, totalFiles, cancel }) => (
    <div key={id} className="files-transfer">
      <span className="files-transfer-title">{title}</span>
      <progress aria-label={title} max={Math.max(1, totalBytes)} value={Math.min(doneBytes, Math.max(1, totalBytes))} />
      <span className="numbers">
        {totalFiles > 1 && `${doneFiles} of ${totalFiles} · `}
        {bytesText(doneBytes)} of {bytesText(totalBytes)}
      </span>
      <IconButton size="small" label={`Stop: ${title}`} icon={<X aria-hidden="true" />} onClick={cancel} />
    </div>
  ))
}
