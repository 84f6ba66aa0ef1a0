import { ChevronDown, FileWarning, Save, Search, WrapText } from 'lucide-react'
import { useEffect, useState } from 'react'
import { ELSEWHERE } from '../../../session/app-state.ts'
import { dispatch, useSession } from '../../desk/desk-store.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { MenuButton } from '../../ui/menu.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { openApp, useDeviceName, useIsLate } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { parentPath, tildePath } from '../files/home-path.ts'
import { DifferenceDialog } from './difference-dialog.tsx'
import { findLanguage } from './editor-language.ts'
import { EditorNotes, Refused } from './editor-notes.tsx'
import type { EditorState } from './editor-parts.ts'
import { EditorStatus } from './editor-status.tsx'
import type { EditorSurface } from './editor-surface.ts'
import { SaveAsDialog } from './save-as-dialog.tsx'
import { type EditorHandle, useEditor } from './use-editor.ts'
import { useHome } from '../use-home.ts'
import './editor.css'

/** A text. What is typed follows the person at once; the file changes only when it is saved. */
export default function EditorApp(props: AppProps<EditorState>) {
  const { state, setState } = props
  const deviceName = useDeviceName(state.device)
  const { home } = useHome(state.device)
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
          <span title={state.path ?? undefined}>
            {state.path === null ? 'New text, not in a file yet' : placePath(state.device, state.path, home)}
          </span>
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
      <EditorNotes
        editor={editor}
        deviceName={deviceName}
        onCompare={() => setDialog('difference')}
        onSaveAs={() => setDialog('save-as')}
      />
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
      <EditorStatus editor={editor} language={language} onLanguage={(name) => setState({ language: name })} />
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

const placePath = (device: string, path: string, home: string | undefined): string =>
  device === ELSEWHERE ? `Elsewhere${path}` : tildePath(path, home)

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
      (error: unknown) => showToast({ severity: 'warn', title: 'No colours for this text', body: errorWords(error) }),
    )
    return () => {
      gone = true
    }
  }, [surface, language, path])
  return name
}
