import { FileWarning } from 'lucide-react'
import { errorCode } from '../../../base/errors.ts'
import { useDesk } from '../../desk/desk-store.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { showToast } from '../../ui/toast.tsx'
import { useNow } from '../app-hooks.ts'
import { agoText } from '../plain-words.ts'
import { Strip } from '../strip.tsx'
import { openRefusal } from './save-buffer.ts'
import type { EditorHandle } from './use-editor.ts'

/** What a person should know about this text right now, and what can be done about it. */
export function EditorNotes(props: { editor: EditorHandle; deviceName: string; onCompare: () => void; onSaveAs: () => void }) {
  const { facts, model, surface } = props.editor
  const ownName = useDesk((desk) => desk.deviceName)
  const now = useNow()
  const keepBoth = async () => {
    const path = await model?.keepBoth(ownName)
    if (path) showToast({ severity: 'done', title: 'Both are kept', body: `Your text is now ${path}; the other file is as it was.` })
    surface?.focus() // the pressed button is gone
  }
  const save = (options?: { overwrite: boolean }) => {
    void model?.save(options)
    surface?.focus()
  }
  switch (facts.save.phase) {
    case 'conflict':
      return (
        <Strip
          kind="unsafe"
          actions={
            <>
              <Button onClick={() => void keepBoth()}>Keep both</Button>
              <Button onClick={props.onCompare}>Show difference</Button>
              <Button variant="danger" onClick={() => save({ overwrite: true })}>
                Save mine over it
              </Button>
            </>
          }
        >
          The file changed on {props.deviceName} after you opened it. Nothing was overwritten, and your text is kept.
        </Strip>
      )
    case 'waiting':
      return (
        <Strip kind="away" actions={<Button onClick={props.onSaveAs}>Save elsewhere</Button>}>
          {props.deviceName} is away. Your text is kept and follows you; it is saved there when {props.deviceName} is back and this tab is
          open.
        </Strip>
      )
    case 'failed':
      return (
        <Strip
          kind="lost"
          actions={
            <>
              <Button onClick={() => save()}>Try again</Button>
              <Button onClick={props.onSaveAs}>Save as…</Button>
            </>
          }
        >
          It could not be saved: {facts.save.message} Your text is kept. <span className="editor-code">{facts.save.code}</span>
        </Strip>
      )
    default:
      if (facts.keptFromMs !== undefined) {
        return (
          <Strip kind="away">
            {props.deviceName} is away. This is the text as it was {agoText(facts.keptFromMs, now)}; you can go on writing, and save when it
            is back.
          </Strip>
        )
      }
      if (facts.locked)
        return (
          <Strip actions={<Button onClick={props.onSaveAs}>Save as…</Button>}>
            This file may only be read. Save it under another name to change it.
          </Strip>
        )
      return null
  }
}

/** In place of a text that could not be opened: why, and what to do. */
export function Refused({ editor, deviceName, hasDraft }: { editor: EditorHandle; deviceName: string; hasDraft: boolean }) {
  const { error } = editor.facts
  const code = errorCode(error)
  const refusal = openRefusal(code)
  const again = <Button onClick={() => void editor.model?.follow(true)}>Try again</Button>
  if (refusal) {
    return (
      <EmptyState icon={<FileWarning aria-hidden="true" />} title={refusal.title} action={again}>
        {refusal.body}
      </EmptyState>
    )
  }
  if (code === 'file/device-away' || code === 'rpc/closed') {
    return (
      <EmptyState icon={<FileWarning aria-hidden="true" />} title={`${deviceName} is away`} action={again}>
        This file has not been read on this display yet. It opens by itself when {deviceName} is back.
      </EmptyState>
    )
  }
  return (
    <ErrorState
      title="The text could not be opened"
      error={error}
      safe={hasDraft ? 'What you typed is kept.' : 'The file is untouched.'}
      action={again}
    />
  )
}
