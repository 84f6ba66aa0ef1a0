import { useEffect, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { DifferenceView } from '../difference-view.tsx'
import type { EditorModel } from './editor-model.ts'

/** The text here beside the file as it is on its device now, line by line. */
export function DifferenceDialog(props: { model: EditorModel; mine: string; deviceName: string; onClose: () => void }) {
  const { model, mine, deviceName, onClose } = props
  const [theirs, setTheirs] = useState<{ text: string; version: string }>()
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    model.readTheirs().then(setTheirs, setError)
  }, [model])
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
        <DifferenceView mine={mine} theirs={theirs.text} />
      ) : (
        <Skeleton lines={6} label="Reading the file" />
      )}
    </Dialog>
  )
}
