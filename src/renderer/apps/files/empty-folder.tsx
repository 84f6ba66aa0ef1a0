import { EyeOff, FolderOpen, FolderSearch } from 'lucide-react'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { countText } from '../plain-words.ts'

/** A folder in which nothing is shown: filtered away, hidden, or really empty. */
export function EmptyFolder(props: {
  filter: string
  hidden: number
  onClear: () => void
  /** Looks in the folders below too, where the place can. */
  onSearch: (() => void) | undefined
  onShowHidden: () => void
  onAdd: (() => void) | undefined
  isElsewhere: boolean
}) {
  if (props.filter !== '') {
    return (
      <EmptyState
        icon={<FolderSearch aria-hidden="true" />}
        title="Nothing fits the filter"
        action={
          <>
            <Button onClick={props.onClear}>Clear the filter</Button>
            {props.onSearch && (
              <Button variant="primary" onClick={props.onSearch}>
                Search the folders below
              </Button>
            )}
          </>
        }
      >
        No name here contains “{props.filter}”.
      </EmptyState>
    )
  }
  if (props.hidden > 0) {
    return (
      <EmptyState
        icon={<EyeOff aria-hidden="true" />}
        title="Only hidden files here"
        action={<Button onClick={props.onShowHidden}>Show hidden files</Button>}
      >
        {countText(props.hidden, 'entry', 'entries')} begin with a dot.
      </EmptyState>
    )
  }
  return (
    <EmptyState
      icon={<FolderOpen aria-hidden="true" />}
      title="An empty folder"
      action={props.onAdd && <Button onClick={props.onAdd}>New folder</Button>}
    >
      {props.isElsewhere ? 'What is put here is on all your devices.' : 'Files that programs on this device put here appear by themselves.'}
    </EmptyState>
  )
}
