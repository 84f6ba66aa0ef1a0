import { FileQuestion } from 'lucide-react'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { bytesText } from '../plain-words.ts'
import { EntryIcon } from './entry-icon.tsx'
import type { PaneEntry } from './file-source.ts'
import type { TextHead } from './look-text.ts'

const NOTHING_WORDS: Readonly<Record<PaneEntry['kind'], string>> = {
  folder: 'Open it to see what is in it.',
  other: 'It is a socket, pipe or device of that machine.',
  file: 'Nothing here draws this kind of file. Download it to open it in another program.',
  link: 'Nothing here draws this kind of file.',
}

/** What cannot be drawn is still told of. */
export const Nothing = ({ entry }: { entry: PaneEntry }) => (
  <EmptyState icon={<EntryIcon entry={entry} />} title={entry.kind === 'folder' ? 'A folder' : 'No picture of this'}>
    {NOTHING_WORDS[entry.kind]}
  </EmptyState>
)

export const Failed = ({ error }: { error: unknown }) => (
  <ErrorState title="It could not be shown" error={error} safe="The file is untouched." />
)

export const NoText = () => (
  <EmptyState icon={<FileQuestion aria-hidden="true" />} title="Not a text">
    Its bytes are none that could be shown as letters. Download it to open it in another program.
  </EmptyState>
)

/** Only the beginning is shown: said below it. */
export const MoreNote = ({ head, bytes }: { head: TextHead; bytes: number }) =>
  head.isWhole ? null : <p className="look-more">Only the first {bytesText(bytes)} are shown. Open it to see the rest.</p>
