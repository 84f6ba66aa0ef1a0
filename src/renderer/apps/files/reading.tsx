import type { DatasetStatus } from '../../../files/dataset-contract.ts'
import { Skeleton } from '../../ui/skeleton.tsx'
import type { FolderHandle } from './use-folder.ts'

/**
 * A folder that is not there yet: a shape of what will come; of a long one, how far it is. `loading`: this device is new to the dataset it
 * lies in, and what is in it comes from another one.
 */
export function Reading({
  path,
  part,
  loading,
}: {
  path: string | undefined
  part: FolderHandle['part']
  loading: DatasetStatus['loading']
}) {
  const label = loading ? 'Fetching what is in here' : `Reading ${path ?? 'the home folder'}`
  const far = part
    ? { here: part.entries, all: part.total }
    : loading?.of
      ? { here: Math.min(loading.rows, loading.of), all: loading.of }
      : undefined
  return (
    <div className="files-reading">
      {loading && (
        <p role="status">
          <strong>Fetching what is in here</strong>
          <span>From another of your devices; what you look at comes first.</span>
        </p>
      )}
      <Skeleton lines={9} label={label} />
      {far && (
        <p className="numbers">
          {`${far.here.toLocaleString('en-US')} of ${far.all.toLocaleString('en-US')} entries${part ? '' : ' are on this device'}`}
          <progress aria-label={part ? 'Entries read' : 'Entries on this device'} value={far.here} max={far.all} />
        </p>
      )}
    </div>
  )
}
