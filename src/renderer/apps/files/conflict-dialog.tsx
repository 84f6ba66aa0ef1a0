import { useEffect, useState } from 'react'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { useNow } from '../app-hooks.ts'
import { DifferenceView } from '../difference-view.tsx'
import { momentText } from '../plain-words.ts'
import { copyName } from './home-path.ts'
import { textOfVersion } from './dataset-text.ts'
import { writeContent } from './dataset-source.ts'
import type { PaneEntry, SharedFacts } from './file-source.ts'
import { sourceOf } from './source-of.ts'
import { ELSEWHERE } from '../../../session/app-state.ts'

/** `notes (conflict 2026-03-01 kitchen).md` was written beside `notes.md`. */
export const originalName = (copy: string): string => copy.replace(/ \(conflict[^()]*\)(?=(\.[^.]*)?$)/, '')

/** What can be done with a conflict copy. Where the file itself is gone there is nothing to choose: the copy takes its name. */
export const conflictChoices = (hasFile: boolean): readonly ('both' | 'file' | 'copy')[] => (hasFile ? ['both', 'file', 'copy'] : ['copy'])

export interface ConflictDialogProps {
  /** Absolute among the datasets. */
  readonly path: string
  readonly copy: PaneEntry & { readonly shared: SharedFacts }
  /** The version that won, if it is still in the folder. */
  readonly other: (PaneEntry & { readonly shared: SharedFacts }) | undefined
  readonly taken: ReadonlySet<string>
  readonly onClose: () => void
}

/** Who wrote a side, and when. */
interface Author {
  readonly deviceName: string
  readonly atMs: number
}

/** What the buttons say: by the device where that tells the two apart. */
export function keepWords(file: Author | undefined, copy: Author | undefined): { file: string; copy: string } {
  if (!file || !copy || file.deviceName === copy.deviceName) return { file: 'Keep the file', copy: 'Keep the copy' }
  return { file: `Keep that of ${file.deviceName}`, copy: `Keep that of ${copy.deviceName}` }
}

/** Two contents of one file that were written at the same time: both sides, and which of them stays. */
export function ConflictDialog({ path, copy, other, taken, onClose }: ConflictDialogProps) {
  const client = useClient()
  const [texts, setTexts] = useState<{ readonly copy: string | undefined; readonly other: string | undefined }>()
  const [authors, setAuthors] = useState<{ readonly copy: Author | undefined; readonly other: Author | undefined }>()
  const [error, setError] = useState<unknown>()
  const now = useNow()
  const { dataset } = copy.shared
  const choices = conflictChoices(other !== undefined)
  const [copyNode, otherNode] = [copy.shared.node, other?.shared.node]
  const [copyVersion, otherVersion] = [copy.shared.version, other?.shared.version]
  useEffect(() => {
    if (!client) return
    const leaving = new AbortController()
    const { signal } = leaving
    const of = (node: string | undefined) => (node === undefined ? undefined : textOfVersion(client, { dataset, node }, signal))
    Promise.all([of(copyNode), of(otherNode)]).then(
      ([mine, theirs]) => setTexts({ copy: mine, other: theirs }),
      (failure: unknown) => !signal.aborted && setError(failure),
    )
    const authorOf = async (node: string | undefined, version: string | undefined) =>
      node === undefined ? undefined : (await client.datasetVersions({ dataset, node }, { signal })).find((one) => one.version === version)
    // Who wrote it is told where it is known; the two can be chosen between without.
    Promise.all([authorOf(copyNode, copyVersion), authorOf(otherNode, otherVersion)]).then(
      ([mine, theirs]) => setAuthors({ copy: mine, other: theirs }),
      () => undefined,
    )
    return () => leaving.abort()
  }, [client, dataset, copyNode, otherNode, copyVersion, otherVersion])
  const words = keepWords(authors?.other, authors?.copy)
  const side = (author: Author | undefined) => (author ? `written on ${author.deviceName}, ${momentText(author.atMs, now)}` : '')

  const act = async (done: string, work: () => Promise<unknown>) => {
    try {
      await work()
      showToast({ severity: 'done', title: done })
      onClose()
    } catch (failure) {
      showToast({ severity: 'error', title: 'That could not be done', body: `${errorWords(failure)} Both versions are still there.` })
    }
  }
  const remove = () => clientNow().removeDatasetNode({ dataset, node: copy.shared.node })
  /** To a name of its own, as near to that of the file as is free. */
  const rename = async () => {
    const { info } = await clientNow().datasetNode({ dataset, node: copy.shared.node })
    const name = copyName(originalName(copy.name), taken)
    await clientNow().moveDatasetNode({ dataset, node: info.node, parent: info.parent, name, replace: false })
  }
  const takeCopy = async () => {
    if (!other) return rename()
    const blob = await sourceOf(clientNow(), ELSEWHERE).download(path, { signal: new AbortController().signal, onBytes: () => undefined })
    const to = { node: other.shared.node, base: other.shared.version }
    await writeContent(clientNow(), { dataset, to }, blob, { signal: new AbortController().signal, onBytes: () => undefined })
    await remove()
  }
  return (
    <Dialog
      open
      size="wide"
      onClose={onClose}
      title={`Two versions of “${originalName(copy.name)}”`}
      description="Two devices wrote it at the same time. What you do not keep lies in the trash or in the history."
      actions={
        <>
          {choices.includes('both') && <Button onClick={() => void act('Both are kept', rename)}>Keep both</Button>}
          {choices.includes('file') && (
            <Button onClick={() => void act('The file stays; the copy is in the trash', remove)}>{words.file}</Button>
          )}
          <Button variant="primary" onClick={() => void act('The copy is the file now', takeCopy)}>
            {words.copy}
          </Button>
        </>
      }
    >
      {error !== undefined ? (
        <p className="files-history-note">{errorWords(error)}</p>
      ) : !texts ? (
        <Skeleton lines={5} label="Reading both versions" />
      ) : texts.copy !== undefined && texts.other !== undefined ? (
        <>
          <dl className="files-conflict-sides">
            <dt>−</dt>
            <dd>the file: {side(authors?.other) || originalName(copy.name)}</dd>
            <dt>+</dt>
            <dd>the conflict copy: {side(authors?.copy) || copy.name}</dd>
          </dl>
          <DifferenceView mine={texts.copy} theirs={texts.other} />
        </>
      ) : !other ? (
        <p className="files-history-note">The file itself is no longer in this folder: the copy is all there is here.</p>
      ) : (
        <p className="files-history-note">These are not short texts and cannot be shown side by side; download them to look at both.</p>
      )}
    </Dialog>
  )
}
