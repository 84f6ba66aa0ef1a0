import { useEffect, useMemo, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import type { EditorModel } from './editor-model.ts'
import { diffLines } from './save-buffer.ts'

/** Unchanged lines shown around a change. */
const AROUND = 3

/** The text here beside the file as it is on its device now, line by line. */
export function DifferenceDialog(props: { model: EditorModel; mine: string; deviceName: string; onClose: () => void }) {
  const { model, mine, deviceName, onClose } = props
  const [theirs, setTheirs] = useState<{ text: string; version: string }>()
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    model.readTheirs().then(setTheirs, setError)
  }, [model])
  const lines = useMemo(() => (theirs ? folded(diffLines(mine, theirs.text)) : []), [mine, theirs])
  return (
    <Dialog
      open
      size="wide"
      onClose={onClose}
      title="What is different"
      description={`Lines marked + are yours here; lines marked − are in the file on ${deviceName}.`}
      actions={
        theirs && (
          <>
            <Button
              onClick={() => {
                model.takeTheirs(theirs)
                onClose()
              }}
            >
              Take the file’s text (can be undone)
            </Button>
            <Button
              variant="primary"
              onClick={() => {
                void model.save({ overwrite: true })
                onClose()
              }}
            >
              Save mine over it
            </Button>
          </>
        )
      }
    >
      {error !== undefined ? (
        <ErrorState title="The file could not be read" error={error} safe="Your text is kept." />
      ) : theirs ? (
        <div className="editor-difference" tabIndex={0} role="group" aria-label="Differences">
          {lines.map((line, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- lines have no identity but their place
            <div key={index} data-kind={line.kind}>
              <span>{{ same: ' ', mine: '+', theirs: '−', gap: '⋯' }[line.kind]}</span>
              {line.text}
            </div>
          ))}
        </div>
      ) : (
        <Skeleton lines={6} label="Reading the file" />
      )}
    </Dialog>
  )
}

type ShownLine = { readonly kind: 'same' | 'mine' | 'theirs' | 'gap'; readonly text: string }

/** Long unchanged stretches become one line. */
function folded(lines: readonly ShownLine[]): readonly ShownLine[] {
  const near = (index: number) => lines.slice(Math.max(0, index - AROUND), index + AROUND + 1).some((line) => line.kind !== 'same')
  const shown: ShownLine[] = []
  for (const [index, line] of lines.entries()) {
    if (near(index)) shown.push(line)
    else if (shown.at(-1)?.kind !== 'gap') shown.push({ kind: 'gap', text: '' })
  }
  return shown
}
