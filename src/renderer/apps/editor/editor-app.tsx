import { ChevronDown, FileWarning, Save, Search, WrapText } from 'lucide-react'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { errorCode, errorMessage } from '../../../base/errors.ts'
import { dispatch, useDesk, useSession } from '../../desk/desk-store.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { MenuButton } from '../../ui/menu.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { openApp, useDeviceName, useIsLate, useNow } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { parentPath } from '../files/home-path.ts'
import { agoText } from '../plain-words.ts'
import { Strip } from '../strip.tsx'
import { DifferenceDialog } from './difference-dialog.tsx'
import { findLanguage, languageNames } from './editor-language.ts'
import type { EditorState } from './editor-model.ts'
import type { EditorSurface } from './editor-surface.ts'
import { openRefusal } from './save-buffer.ts'
import { SaveAsDialog } from './save-as-dialog.tsx'
import { type EditorHandle, useEditor } from './use-editor.ts'
import './editor.css'

/** A text. What is typed follows the person at once; the file changes only when it is saved. */
export default function EditorApp(props: AppProps<EditorState>) {
  const { state, setState } = props
  const deviceName = useDeviceName(state.device)
  const fontPx = useSession((session) => session.preferences.editorFontPx)
  const wrap = useSession((session) => session.preferences.editorWrap)
  const [dialog, setDialog] = useState<'save-as' | 'difference'>()
  const editor: EditorHandle = useEditor(props, () => setDialog('save-as'))
  const { facts, model, place, surface } = editor
  const save = () => {
    if (state.path === null) setDialog('save-as')
    else void model?.save()
  }
  const language = useLanguage(surface, state)
  useEffect(() => surface?.setWrap(wrap), [surface, wrap])
  const late = useIsLate(facts.phase === 'loading')

  return (
    <div
      className="app editor"
      style={{ ['--editor-font' as string]: `${fontPx}px` }}
      onKeyDown={(event) => {
        if (event.key.toLowerCase() !== 's' || !event.ctrlKey || !event.shiftKey) return
        event.preventDefault()
        event.stopPropagation()
        setDialog('save-as')
      }}
    >
      <div className="app-bar" role="toolbar" aria-label="Text">
        <p className="editor-path app-bar-fill">
          <span title={state.path ?? undefined}>{state.path ?? 'New text, not in a file yet'}</span>
        </p>
        <IconButton label="Find" shortcut="Ctrl+F" icon={<Search aria-hidden="true" />} onClick={() => surface?.openFind()} />
        <IconButton
          label={wrap ? 'Do not wrap long lines' : 'Wrap long lines'}
          aria-pressed={wrap}
          icon={<WrapText aria-hidden="true" />}
          onClick={() => dispatch({ type: 'preferences/set', values: { editorWrap: !wrap } })}
        />
        <Button icon={<Save aria-hidden="true" />} busy={facts.save.phase === 'saving'} aria-keyshortcuts="Control+S" onClick={save}>
          Save
        </Button>
        <MenuButton
          className="editor-more"
          label="More ways to save"
          align="end"
          entries={() => [
            { label: 'Save as…', shortcut: 'Ctrl+Shift+S', onSelect: () => setDialog('save-as') },
            state.path !== null && {
              label: 'Show in Files',
              onSelect: () => openApp({ kind: 'files', device: state.device, path: parentPath(state.path ?? '/') }),
            },
            {
              label: 'New text',
              onSelect: () => openApp({ kind: 'editor', device: state.device, path: null, textDoc: null, version: null }),
            },
          ]}
        >
          <ChevronDown aria-hidden="true" />
        </MenuButton>
      </div>
      <Notes editor={editor} deviceName={deviceName} onCompare={() => setDialog('difference')} onSaveAs={() => setDialog('save-as')} />
      <div className="app-body">
        <div ref={place} className="editor-place" hidden={facts.phase === 'refused'} />
        {facts.phase === 'refused' && <Refused editor={editor} deviceName={deviceName} hasDraft={state.textDoc !== null} />}
        {late && !facts.onItsWay && (
          <div className="editor-cover">
            <Skeleton lines={8} label="Reading the text" />
          </div>
        )}
        {facts.onItsWay && facts.phase !== 'refused' && facts.phase === 'loading' && (
          <div className="editor-cover">
            <EmptyState
              icon={<FileWarning aria-hidden="true" />}
              title="The unsaved text is on its way"
              action={state.path !== null && <Button onClick={() => model?.giveUpText()}>Open the saved file instead</Button>}
            >
              It was typed on another of your devices and has not arrived here yet. It appears as soon as that device can be reached.
            </EmptyState>
          </div>
        )}
      </div>
      <StatusBar editor={editor} language={language} onLanguage={(name) => setState({ language: name })} />
      {dialog === 'save-as' && model && (
        <SaveAsDialog
          device={state.device}
          path={state.path}
          onClose={() => {
            setDialog(undefined)
            surface?.focus()
          }}
          onSave={(device, path, overwrite) => model.saveAs(device, path, { overwrite })}
        />
      )}
      {dialog === 'difference' && model && surface && (
        <DifferenceDialog
          model={model}
          mine={surface.text}
          deviceName={deviceName}
          onClose={() => {
            setDialog(undefined)
            surface.focus()
          }}
        />
      )}
    </div>
  )
}

/** What a person should know about this text right now, and what can be done about it. */
function Notes(props: { editor: EditorHandle; deviceName: string; onCompare: () => void; onSaveAs: () => void }) {
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

function Refused({ editor, deviceName, hasDraft }: { editor: EditorHandle; deviceName: string; hasDraft: boolean }) {
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

function StatusBar(props: { editor: EditorHandle; language: string | undefined; onLanguage: (name: string | null) => void }) {
  const { facts, surface } = props.editor
  const cursor = useCursor(surface)
  const [names, setNames] = useState<readonly string[]>([])
  const words = {
    idle: facts.unsaved ? 'Not saved yet' : 'Saved',
    saving: 'Saving',
    waiting: 'Waiting to save',
    conflict: 'Not saved: the file changed',
    failed: 'Not saved',
  }
  return (
    <div className="app-status">
      <span role="status">{facts.phase === 'ready' ? words[facts.save.phase] : ''}</span>
      <span className="app-bar-fill" />
      {cursor && (
        <span>
          Line {cursor.line}, column {cursor.column}
          {cursor.selected > 0 && ` (${cursor.selected.toLocaleString('en-US')} selected)`}
        </span>
      )}
      {facts.lineEnd === '\r\n' && <span>Windows line ends</span>}
      <MenuButton
        className="editor-language"
        label={`Language: ${props.language ?? 'Plain text'}`}
        side="top"
        align="end"
        onPointerEnter={() => void languageNames().then(setNames)}
        onFocus={() => void languageNames().then(setNames)}
        entries={() => [
          { label: 'By file name', onSelect: () => props.onLanguage(null) },
          'separator',
          ...names.map((name) => ({ label: name, checked: name === props.language, onSelect: () => props.onLanguage(name) })),
        ]}
      >
        {props.language ?? 'Plain text'}
      </MenuButton>
    </div>
  )
}

function useCursor(surface: EditorSurface | undefined): EditorSurface['cursor'] | undefined {
  const key = useSyncExternalStore(
    (changed) => {
      const listening = surface?.onDidMove(changed)
      return () => listening?.dispose()
    },
    () => (surface ? Object.values(surface.cursor).join(' ') : ''),
  )
  if (key === '') return undefined
  const [line = 1, column = 1, selected = 0] = key.split(' ').map(Number)
  return { line, column, selected }
}

/** Loads the language of the text when its name or the choice changes; returns its name. */
function useLanguage(surface: EditorSurface | undefined, { language, path }: EditorState): string | undefined {
  const [name, setName] = useState<string>()
  useEffect(() => {
    if (!surface) return
    let gone = false
    findLanguage(language, path).then(
      (found) => {
        if (gone) return
        surface.setLanguage(found?.support)
        setName(found?.name)
      },
      (error: unknown) => showToast({ severity: 'warn', title: 'No colours for this text', body: errorMessage(error) }),
    )
    return () => {
      gone = true
    }
  }, [surface, language, path])
  return name
}
