import { Skeleton } from '../../ui/skeleton.tsx'
import type { FolderHandle } from './use-folder.ts'

/** A folder that is not there yet; of a long one, how far it is. */
export function Reading({ path, part }: { path: string | undefined; part: FolderHandle['part'] }) {
  const far = part && `${part.entries.toLocaleString('en-US')} of ${part.total.toLocaleString('en-US')} entries`
  return (
    <div className="files-reading">
      <Skeleton lines={9} label={`Reading ${path ?? 'the home folder'}`} />
      {far && (
        <p className="numbers">
          {far}
          <progress aria-label="Entries read" value={part.entries} max={part.total} />
        </p>
      )}
    </div>
  )
}
